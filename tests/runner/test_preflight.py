"""A run inspects the model first: one that is certain to fail is never unpickled."""

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

CORPUS = Path(__file__).parents[1] / "inspection/corpus"
PANDAS_PICKLES = Path(__file__).parents[1] / "inspection/pandas_pickles.zip"
HERE_PYTHON = "{}.{}".format(*sys.version_info)
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
SIDE_EFFECT = "this was unpickled"
OTHERS = [python for python in PYTHONS if python != HERE_PYTHON]


def of_corpus(python, shape):
    with zipfile.ZipFile(CORPUS / f"py{python}-cloudpickle3.1.zip") as archive:
        return archive.read(f"{shape}.pkl")


def with_side_effect(data):
    """The pickle, which would first print a line if it were unpickled."""
    text = SIDE_EFFECT.encode()  # not remembered: the memo of the rest stays as it is
    effect = b"cbuiltins\nprint\nX" + len(text).to_bytes(4, "little") + text + b"\x85R0"
    return data[:2] + effect + data[2:]


@pytest.mark.parametrize("python", OTHERS)
@pytest.mark.parametrize("shape", ["loops", "generator", "try_except_finally"])
def test_a_pickle_of_another_python_names_the_image_and_is_not_unpickled(run_model, python, shape):
    run = run_model(with_side_effect(of_corpus(python, shape)))
    image = f"numerai_predict_py_{python.replace('.', '_')}:latest"
    run.fails_as(
        "python_mismatch", "another Python", f"found functions of another Python: {python}"
    )
    assert image in run.record["remedy"]
    assert "docker run" in run.record["remedy"]
    assert run.record["model"]["python"] == [python]
    assert run.model_lines == []


def test_the_side_effect_of_these_tests_is_one(run_model):
    run = run_model(with_side_effect(pickle.dumps({"no": "function"}, 5)))
    assert run.model_lines == [SIDE_EFFECT]


def test_the_pythons_of_a_model_are_in_the_record(run_model):
    def predict(live_features):
        ranks = live_features["feature_sample_0000"].rank(pct=True, method="first")
        return ranks.to_frame("prediction")

    run = run_model(predict)
    run.succeeds()
    assert HERE_PYTHON in run.record["model"]["python"]


def test_a_module_that_is_missing_ends_the_run_before_it_is_unpickled(run_model):
    data = with_side_effect(b"\x80\x05cmy_own_helpers\npredict\n.")
    run = run_model(data).fails_as("missing_dependency", "module my_own_helpers is missing")
    assert "register_pickle_by_value(my_own_helpers)" in run.record["remedy"]
    assert run.model_lines == []


def test_a_library_that_an_image_has_names_that_image(run_model):
    data = b"\x80\x05ctensorflow_decision_forests\npredict\n."
    run = run_model(data).fails_as("missing_dependency", "tensorflow_decision_forests is missing")
    assert "run it in the image that has tensorflow_decision_forests" in run.record["remedy"]
    assert "-slim" not in run.record["remedy"]


def test_an_object_that_this_pandas_cannot_read_ends_the_run_before_it_is_unpickled(run_model):
    older = pd.__version__ < "3"
    name, kind = (
        ("pandas 3.0.5/series of categories.pkl", "categories of pandas 3")
        if older
        else ("pandas 2.3.3/NaT.pkl", "NaT of pandas 2")
    )
    with zipfile.ZipFile(PANDAS_PICKLES) as archive:
        data = with_side_effect(archive.read(name))
    run = run_model(data).fails_as("missing_dependency", f"can read, found {kind}")
    assert f"make the pickle with pandas {pd.__version__}" in run.record["remedy"]
    assert run.model_lines == []


def test_an_import_within_a_function_is_a_warning(run_model):
    def predict(live_features):
        try:
            import no_such_module
        except ImportError:
            no_such_module = None
        ranks = live_features["feature_sample_0000"].rank(pct=True, method="first")
        return ranks.to_frame("prediction" if no_such_module is None else "other")

    run = run_model(predict)
    run.succeeds()
    assert any(
        "imports no_such_module, which is not installed" in each for each in run.record["warnings"]
    )


def test_features_that_the_data_lacks_are_a_warning_that_names_the_version(run_model):
    source = {"feature": "feature_honoured_observational_balaamite", "data": "v4.3/live.parquet"}

    def predict_of_another_version(live_features):
        return live_features[[source["feature"]]].assign(data=source["data"])

    run = run_model(predict_of_another_version).fails_as("model_error", "other columns")
    (warning,) = run.record["warnings"]
    assert "feature_honoured_observational_balaamite" in warning
    assert "probably made for data version v4.3" in warning


def test_code_that_no_python_takes_is_an_invalid_pickle(run_model, pickle_model):
    def predict(live_features):
        return live_features

    data = pickle_model(predict).read_bytes()
    code = predict.__code__.co_code
    assert code in data
    run = run_model(data.replace(code, b"\xfe" + code[1:]))
    run.fails_as("invalid_pickle", "legal for no CPython", "predict")


@pytest.fixture
def check(command, clean_environment, tmp_path):
    """Run `predict.py --check` on a model."""

    def run(model):
        ended = subprocess.run(
            [*command(model), "--check"], capture_output=True, text=True, env=clean_environment
        )
        record = json.loads((tmp_path / "result.json").read_text())
        return ended, record

    return run


def test_a_check_prints_what_was_found_and_stops(check, tmp_path):
    text = str(tmp_path / "called")

    def predict_with_text(live_features):
        open(text, "w").close()

    ended, record = check(predict_with_text)
    assert ended.returncode == 0, ended.stderr
    assert "holds" in ended.stdout
    assert "predict_with_text(live_features)" in ended.stdout
    assert "docker run" in ended.stdout
    assert record["verdict"] == "ok"
    assert record["predictions"]["path"] is None
    assert HERE_PYTHON in record["inspection"]["pythons"]["legal"]
    assert not (tmp_path / "called").exists()


def test_a_check_ends_as_a_run_would_end_before_unpickling(check, pickle_model):
    ended, record = check(pickle_model(of_corpus(OTHERS[-1], "loops")))
    assert ended.returncode == 12
    assert record["verdict"] == "python_mismatch"
    assert f"Python {OTHERS[-1]}" in ended.stdout
    ended, record = check(pickle_model(b"no pickle", "other.pkl"))
    assert (ended.returncode, ended.stdout) == (11, "")
    assert "inspection" not in record
