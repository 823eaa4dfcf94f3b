"""A diagnosis runs a model of another Python in the image of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from numerai_predict.data.synthetic import SampleShape, write_sample

PROGRAM = "import sys; from numerai_predict.cli.main import main; sys.exit(main())"

pytest.importorskip("numerai_tools", reason="diagnoses need numerai-tools: Python 3.11 or later")


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    directory = tmp_path_factory.mktemp("past") / "sample"
    write_sample(directory, SampleShape(60, 90, train_eras=1, validation_eras=3, features=60))
    return directory


@pytest.fixture
def diagnose(past, tmp_path):
    def run(model, *options):
        argv = [
            sys.executable,
            "-c",
            PROGRAM,
            "diagnose",
            "--model",
            model,
            "--fnc-features",
            "small",
        ]
        argv += ["--validation", past, "--output_dir", tmp_path, *options]
        return subprocess.run(
            list(map(str, argv)), capture_output=True, text=True, timeout=110, env=os.environ
        )

    return run


@pytest.mark.parametrize("name", ["one_argument", "two_arguments"])
def test_the_scores_are_those_of_the_model_in_its_own_image(
    diagnose, image, example, tmp_path, name
):
    ended = diagnose(example(name))
    assert ended.returncode == 0, ended.stderr
    assert (
        f"Running in the image numerai_predict_py_{image.version.replace('.', '_')}" in ended.stderr
    )
    found = json.loads((tmp_path / "diagnose.json").read_text())
    assert found["summary"]["corr"]["eras"] == 3
    assert found["run"]["python"].startswith(image.version)
    assert found["run"]["repeatable"] is True
    running = "{}.{}".format(*sys.version_info)
    if image.version == running:
        ended = diagnose(example(name), "--no-container")
        assert ended.returncode == 0, ended.stderr
        local = json.loads((tmp_path / "diagnose.json").read_text())
        assert local["eras"] == found["eras"]


def test_a_model_that_fails_in_its_image_ends_with_its_own_verdict(diagnose, example, tmp_path):
    ended = diagnose(example("one_argument"), "--memory", "40m")
    assert ended.returncode == 22, ended.stderr
    assert "out_of_memory" in ended.stderr.splitlines()[-1]
    assert list(tmp_path.glob("diagnose*")) == []


def test_no_container_is_left_behind(diagnose, example, image):
    diagnose(example("one_argument"))
    docker = os.environ.get("DOCKER", "docker")
    listed = subprocess.run([docker, "ps", "-a"], capture_output=True, text=True, check=True)
    assert "numerai-calls-" not in listed.stdout
    assert Path(example("one_argument")).exists()
