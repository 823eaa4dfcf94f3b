"""`round` with a model from elsewhere, and in the image that fits the model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from container_engine import write_engine
from lanes import ROOT

from numerai_predict.contract.deadline import Deadline
from numerai_predict.runner.fetching import fetched_pickle

PYTHON = "{}.{}".format(*sys.version_info)
OTHER = "3.11" if PYTHON == "3.12" else "3.12"
IMAGE = f"numerai_predict_py_{PYTHON.replace('.', '_')}:latest-slim"


@pytest.fixture
def record(tmp_path):
    """The record of the round's run."""

    def read():
        (path,) = (tmp_path / "state").glob("numerai-predict/rounds/*/record.json")
        return json.loads(path.read_text())

    return read


@pytest.fixture
def engine(tmp_path):
    """A container engine with one image: it runs `predict.py` on this machine."""
    return write_engine(tmp_path / "engine", IMAGE)


def test_a_model_at_a_url_plays_a_round_and_its_signature_is_kept_secret(
    practice, numerai, pickled, web, record
):
    web.replies["/model.pkl"] = web.reply(pickled().read_bytes())
    name = practice.model()
    ended = numerai("round", f"{web.url}/model.pkl?signature=SECRET", "--model-name", name)
    assert ended.code == 0, ended.log
    assert len(practice.submissions(name)) == 1
    assert record()["model"]["source"] == f"{web.url}/model.pkl"
    assert "SECRET" not in ended.log + ended.out + json.dumps(record())


def test_a_url_without_a_model_ends_before_the_round(practice, numerai, web):
    name = practice.model()
    ended = numerai("round", f"{web.url}/none.pkl", "--model-name", name, "--deadline", 30)
    assert ended.code == 10
    assert practice.submissions(name) == []


def test_the_model_runs_in_the_image_that_fits_it(
    practice, numerai, pickled, engine, record, tmp_path
):
    name = practice.model()
    ended = numerai("round", pickled(), "--model-name", name, DOCKER=str(engine))
    assert ended.code == 0, ended.log
    assert f"Running in the image {IMAGE}" in ended.log
    assert f"--model {tmp_path / 'model.pkl'}" in (tmp_path / "containers").read_text()
    assert record()["verdict"] == "ok"
    assert len(practice.submissions(name)) == 1


def test_no_container_keeps_it_in_the_local_python(practice, numerai, pickled, engine, tmp_path):
    name = practice.model()
    words = ("round", pickled(), "--model-name", name, "--no-container")
    ended = numerai(*words, DOCKER=str(engine))
    assert ended.code == 0, ended.log
    assert not (tmp_path / "containers").exists()


def fails(live_features):
    raise ValueError("this model always fails")


def returns_nan(live_features):
    return live_features[["feature_sample_0003"]] * float("nan")


@pytest.mark.parametrize(
    ("model", "code", "words"), [(fails, 20, "this model always fails"), (returns_nan, 80, "NaN")]
)
def test_a_failure_in_an_image_has_the_verdict_of_one_outside(
    practice, numerai, pickled, engine, record, model, code, words
):
    name = practice.model()
    ended = numerai("round", pickled(model), "--model-name", name, DOCKER=str(engine))
    assert ended.code == code, ended.log
    assert words in ended.log
    assert record()["verdict"] != "ok"
    assert practice.submissions(name) == []


def test_an_engine_that_fails_is_named(practice, numerai, pickled, engine):
    engine.write_text(engine.read_text().replace("os.execv", "sys.exit(125) or os.execv"))
    ended = numerai("round", pickled(), "--model-name", practice.model(), DOCKER=str(engine))
    assert "container engine works" in ended.verdict
    assert ended.code != 0


@pytest.mark.docker
def test_the_pickle_of_another_python_plays_a_round_in_one_command(practice, numerai, record):
    docker = os.environ.get("DOCKER", "docker")
    image = f"numerai_predict_py_{OTHER.replace('.', '_')}:latest-slim"
    if subprocess.run([docker, "image", "inspect", image], capture_output=True).returncode:
        pytest.skip(f"needs the image {image}")
    pickle, name = ROOT / f"tests/models/py{OTHER}/two_arguments.pkl", practice.model()
    words = ("round", pickle, "--model-name", name)
    ended = numerai(*words, DOCKER=docker, MAX_ABS_EXPOSURE="0.95")
    assert ended.code == 0, ended.log
    assert record()["environment"]["python"].startswith(OTHER)
    assert len(practice.submissions(name)) == 1


def test_a_pickle_of_a_url_is_removed_after_the_round(web):
    web.replies["/model.pkl"] = web.reply(b"pickle")
    with fetched_pickle(f"{web.url}/model.pkl", Deadline.after(30)) as path:
        assert path.read_bytes() == b"pickle"
    assert not path.exists()


def test_a_local_pickle_stays_where_it_is(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"pickle")
    with fetched_pickle(str(path), Deadline.after(30)) as found:
        assert Path(found) == path
    assert path.exists()
