"""Files without a model: the error says what each of them is."""

import gzip
import pickle
import types

import cloudpickle
import pandas as pd
import pytest


def predict(live_features):
    ranks = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return ranks.to_frame("prediction")


class NotCallable:
    pass


class Calling:
    """An object whose unpickling calls a function."""

    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


def test_a_missing_file_is_named(run_model, tmp_path):
    run_model(tmp_path / "gone.pkl").fails_as("model_unavailable", "gone.pkl", "check the path")


def test_a_directory_is_no_model(run_model, tmp_path):
    (tmp_path / "folder").mkdir()
    run_model(tmp_path / "folder").fails_as("model_unavailable", "directory", "name the file")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "an empty file", id="empty"),
        pytest.param(b"hello\nworld\n", "found text", id="text"),
        pytest.param(b"import pandas as pd\n\ndef f():\n    pass\n", "found text", id="script"),
        pytest.param(b"(lp0\nhello", "found text", id="text like an old pickle"),
        pytest.param(b"<!DOCTYPE html>\n<html>403</html>", "a web page", id="html"),
        pytest.param(b"<?xml version='1.0'?><Error/>", "server error", id="s3 error"),
        pytest.param(gzip.compress(b"x" * 99), "gzip", id="gzip"),
        pytest.param(b"\x80\x05\x95" + b"\xff" * 30, "a corrupt pickle", id="corrupt"),
        pytest.param(b"\x00\x01\x02\x03" * 9, "binary data", id="bytes"),
        pytest.param(b"PAR1" + b"\x00" * 40, "parquet", id="parquet"),
    ],
)
def test_a_file_that_is_not_a_pickle_is_named_for_what_it_is(run_model, data, words):
    run_model(data).fails_as("invalid_pickle", "expected a pickle", words, "cloudpickle.dump")


@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_a_truncated_pickle_is_an_invalid_one(run_model, pickle_model, kept):
    data = pickle_model(predict).read_bytes()
    run = run_model(data[: int(len(data) * kept)])
    run.fails_as("invalid_pickle", "a corrupt pickle", "complete")


def test_a_pickle_with_a_hole_is_an_invalid_one(run_model, pickle_model):
    data = bytearray(pickle_model(predict).read_bytes())
    data[40:80] = bytes(40)
    run_model(bytes(data)).fails_as("invalid_pickle", "a corrupt pickle")


def test_a_truncated_compressed_pickle_is_not_called_misnamed(run_model, pickle_model):
    data = gzip.compress(pickle_model(predict).read_bytes())
    path = pickle_model(data[: len(data) // 2], "model.pkl.gz")
    run = run_model(path).fails_as("invalid_pickle", "complete")
    assert "must end in .gz" not in run.record["message"]


def test_a_plain_pickle_under_a_compressed_name_is_reported(run_model, pickle_model):
    path = pickle_model(pickle_model(predict).read_bytes(), "model.pkl.gz")
    run = run_model(path).fails_as("invalid_pickle", "gz")
    assert "a corrupt pickle" not in run.record["message"]


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        pytest.param({"model": 1}, "a dict, which cannot be called", id="dict"),
        pytest.param(NotCallable(), "a NotCallable, which cannot be called", id="instance"),
        pytest.param(lambda: None, "()", id="no argument"),
        pytest.param(lambda a, b, c: a, "(a, b, c)", id="three arguments"),
    ],
)
def test_an_object_that_takes_neither_one_nor_two_frames_is_not_a_model(run_model, thing, words):
    run = run_model(thing)
    run.fails_as("invalid_model", "expected a function predict(live_features)", words)
    assert run.record["model"]["arity"] is None


def test_a_module_that_is_not_installed_is_named(run_model):
    run_model(b"cno_such_module.inner\npredict\n.").fails_as(
        "missing_dependency", "no_such_module", "register_pickle_by_value(no_such_module)"
    )


def test_a_module_that_only_the_function_imports_is_named(run_model):
    def predict(live_features):
        import no_such_module

        return no_such_module.predict(live_features)

    run = run_model(predict).fails_as("missing_dependency", "no_such_module", "the image has")
    assert any(line.endswith("in predict") for line in run.lines)


@pytest.mark.parametrize("where", ["load", "predict"])
def test_an_attribute_that_is_gone_from_a_module_is_named(run_model, where):
    def predict(live_features):
        return pd.no_such_function(live_features)

    run_model(predict if where == "predict" else b"cpandas\nno_such_function\n.").fails_as(
        "missing_dependency", "no_such_function", "another version of pandas"
    )


def test_a_plain_pickle_of_a_scripts_own_function_points_to_cloudpickle(run_model):
    run_model(b"c__main__\npredict\n.").fails_as(
        "missing_dependency", "predict in module __main__", "cloudpickle.dump(predict, file)"
    )


def test_functions_of_another_python_are_a_mismatch(run_model):
    # Python 3.10 makes code objects of 16 parts, without a qualified name and exceptions.
    parts = (1, 0, 0, 1, 1, 67, b"|\x00S\x00", (None,), (), ("x",), "f.py", "f", 1, b"", (), ())
    run_model(cloudpickle.dumps(Calling(types.CodeType, *parts))).fails_as(
        "python_mismatch", "another Python", "make the pickle with Python"
    )


def test_a_pickle_whose_loading_raises_is_a_model_error(run_model):
    run_model(pickle.dumps(Calling(int, "many"))).fails_as("model_error", "'many'")
