"""The kinds of callables and of compressed files that are models."""

import bz2
import functools
import gzip
import io
import lzma
import zipfile

import cloudpickle
import pytest
import zstandard

from numerai_predict.runner.child.model_loader import NotAModel, load, positional_arity


def predict(live_features):
    ranks = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return ranks.to_frame("prediction")


def zipped(data):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("model.pkl", data)
    return target.getvalue()


COMPRESSORS = {
    "pkl": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
    "zip": zipped,
    "GZ": gzip.compress,
    "any": bytes,
}


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_a_file_is_decompressed_according_to_its_suffix(pickle_model, suffix, tmp_path):
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(COMPRESSORS[suffix](cloudpickle.dumps([predict.__name__].index)))
    assert load(str(path))("predict") == 0


@pytest.mark.parametrize("suffix", ["gz", "zst", "zip"])
def test_a_compressed_model_runs(run_model, pickle_model, suffix):
    data = pickle_model(predict).read_bytes()
    run_model(pickle_model(COMPRESSORS[suffix](data), f"model.pkl.{suffix}")).succeeds()


class Model:
    def method(self, live_features):
        return predict(live_features)

    def method_of_two(self, live_features, live_benchmark_models):
        return predict(live_features)

    def __call__(self, live_features, live_benchmark_models=None):
        return predict(live_features)

    @staticmethod
    def static(live_features):
        return predict(live_features)

    @classmethod
    def of_class(cls, live_features):
        return predict(live_features)


def two(a, b):
    return a


@functools.wraps(two)
def wrapped(*arguments):
    return two(*arguments)


@pytest.mark.parametrize(
    ("model", "arity"),
    [
        pytest.param(lambda a: a, 1, id="one"),
        pytest.param(lambda a, b: a, 2, id="two"),
        pytest.param(lambda a, b=None: a, 2, id="a default for the second"),
        pytest.param(lambda a=None, b=None: a, 2, id="defaults for both"),
        pytest.param(lambda a, b, c=None: a, 2, id="a default for a third"),
        pytest.param(lambda *frames: frames[0], 1, id="any number"),
        pytest.param(lambda a, *rest: a, 2, id="one and any number"),
        pytest.param(lambda a, *, b=None: a, 1, id="keyword-only with a default"),
        pytest.param(lambda a, **options: a, 1, id="keywords"),
        pytest.param(lambda a, b, /: a, 2, id="positional-only"),
        pytest.param(Model().method, 1, id="bound method"),
        pytest.param(Model().method_of_two, 2, id="bound method of two"),
        pytest.param(Model(), 2, id="callable object"),
        pytest.param(Model.static, 1, id="static method"),
        pytest.param(Model.of_class, 1, id="class method"),
        pytest.param(functools.partial(two, None), 1, id="partial by position"),
        pytest.param(functools.partial(two, b=None), 1, id="partial by keyword"),
        pytest.param(functools.partial(lambda a, b, c: a, c=1), 2, id="partial of three"),
        pytest.param(wrapped, 2, id="wrapped"),
    ],
)
def test_arguments_count_as_python_counts_them_for_a_positional_call(model, arity):
    assert positional_arity(model) == arity


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: None, id="none"),
        pytest.param(lambda a, b, c: a, id="three"),
        pytest.param(lambda *, a, b: a, id="keyword-only"),
        pytest.param(lambda a, *, b: a, id="a required keyword"),
        pytest.param(lambda **frames: None, id="keywords alone"),
        pytest.param(min, id="a built-in with unknown parameters"),
    ],
)
def test_what_takes_neither_one_nor_two_frames_is_no_model(model):
    with pytest.raises(NotAModel, match=r"^found "):
        positional_arity(model)


@pytest.mark.parametrize(
    ("model", "arity"),
    [
        pytest.param(Model(), 2, id="callable object"),
        pytest.param(Model().method, 1, id="bound method"),
        pytest.param(functools.partial(Model().method_of_two, live_benchmark_models=1), 1, id="p"),
        pytest.param(lambda *frames: predict(frames[0]), 1, id="lambda"),
    ],
)
def test_every_kind_of_callable_runs(run_model, model, arity):
    run = run_model(model)
    run.succeeds()
    assert run.record["model"]["arity"] == arity


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_a_model_in_a_pickle_of_an_old_protocol_runs(run_model, protocol):
    def predict(live_features):
        ranks = live_features["feature_sample_0000"].rank(pct=True, method="first")
        return ranks.to_frame("prediction")

    predict.__module__ = "__main__"  # pickled by value
    run_model(cloudpickle.dumps(predict, protocol=protocol)).succeeds()
