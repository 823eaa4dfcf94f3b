"""`numerai-predict upload`: a pickle becomes a hosted model, or the reason is said."""

import os
import platform
import subprocess

import pytest
from lanes import ROOT

PYTHON = ".".join(platform.python_version_tuple()[:2])


def fails(live_features):
    raise ValueError("this model always fails")


def needs_an_unknown_module(live_features):
    import nowhere_to_be_found

    return nowhere_to_be_found.predict(live_features)


def test_a_pickle_is_uploaded_for_the_python_that_made_it_and_validated(practice, numerai, pickled):
    name = practice.model()
    ended = numerai("upload", pickled(), "--model-name", name)
    assert ended.code == 0, ended.log
    assert "validated as hosted model" in ended.verdict
    assert "verdict  ok" in ended.out
    row = practice.store.row("SELECT * FROM pickles WHERE model = ?", practice.models[name])
    assert (row["image"], row["version"]) == (f"Python {PYTHON}", "v5.2")


def without_index_name(live_features):
    features = [name for name in live_features if name.startswith("feature_")][:42]
    frame = live_features[features].mean(axis=1).rank(pct=True).to_frame("prediction")
    return frame.rename_axis(None)


def subclass(live_features):
    import pandas

    class Frame(pandas.DataFrame):
        pass

    return Frame(without_index_name(live_features).rename_axis("id"))


def third_parameter(live_features, live_benchmark_models, more=None):
    return without_index_name(live_features).rename_axis("id")


def slightly_above_one(live_features):
    # Without ties, whatever data the round has: the largest rank is 1.
    ranks = without_index_name(live_features).rename_axis("id").rank(method="first", pct=True)
    return ranks * (1 + 2e-16) + 2.3e-16


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (fails, "this model always fails"),
        (without_index_name, "an index without a name"),
        (subclass, "a subclass of DataFrame"),
        (third_parameter, "3 parameters"),
        (slightly_above_one, "rounding error"),
    ],
)
def test_what_hosted_compute_refuses_is_refused_before_the_upload_and_by_the_validation(
    practice, numerai, pickled, model, reason
):
    name, path = practice.model(), pickled(model)
    find = ("SELECT * FROM tickets WHERE model = ?", practice.models[name])
    ended = numerai("upload", path, "--model-name", name)
    assert ended.code == 86, ended.log
    assert reason in ended.log
    assert "--ignore-inspection" in ended.log
    assert practice.store.rows(*find) == []
    forced = numerai("upload", path, "--model-name", name, "--ignore-inspection")
    assert forced.code == 86
    assert reason in forced.out
    assert len(practice.store.rows(*find)) == 1


def test_a_pickle_of_a_python_that_is_not_here_is_uploaded_with_a_warning(practice, numerai):
    other = "3.10"
    path = ROOT / f"tests/models/py{other}/one_argument.pkl"
    ended = numerai("upload", path, "--model-name", practice.model())
    assert f"Python {other} is not available, locally or as a matching image" in ended.log
    assert "was not run before the upload" in ended.log


@pytest.mark.docker
def test_a_pickle_of_another_python_is_run_in_its_image(practice, numerai):
    docker = os.environ.get("DOCKER", "docker")
    other = "3.11" if PYTHON == "3.12" else "3.12"
    image = f"numerai_predict_py_{other.replace('.', '_')}:latest-slim"
    if subprocess.run([docker, "image", "inspect", image], capture_output=True).returncode:
        pytest.skip(f"needs the image {image}")
    path = ROOT / f"tests/models/py{other}/two_arguments.pkl"
    ended = numerai("upload", path, "--model-name", practice.model(), DOCKER=docker)
    assert ended.code == 0, ended.log
    assert f"Running in the image {image}" in ended.log
    assert f"running in the image {image}" in ended.out


def test_what_fails_its_inspection_is_not_uploaded_unless_forced(practice, numerai, tmp_path):
    name, path = practice.model(), tmp_path / "broken.pkl"
    path.write_bytes(b"\x80\x05no pickle at all")
    ended = numerai("upload", path, "--model-name", name)
    assert ended.code == 86
    assert "--ignore-inspection" in ended.verdict
    find = ("SELECT * FROM tickets WHERE model = ?", practice.models[name])
    assert practice.store.rows(*find) == []
    forced = numerai("upload", path, "--model-name", name, "--ignore-inspection")
    assert forced.code == 86
    assert len(practice.store.rows(*find)) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--python", "2.7"), "Python 3.12"),
        (("--data-version", "v1"), "v5.2, v5.3"),
        (("--model-name", "unknown"), "practice_one"),
    ],
)
def test_what_the_tournament_does_not_have_is_listed(practice, numerai, pickled, options, words):
    ended = numerai("upload", pickled(), "--model-name", "practice_one", *options)
    assert ended.code in (83, 86)
    assert words in ended.verdict


def test_a_missing_file_is_reported(practice, numerai, tmp_path):
    ended = numerai("upload", tmp_path / "none.pkl", "--model-name", "practice_one")
    assert ended.code == 10
