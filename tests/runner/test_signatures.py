"""How a model can be called, and what hosted compute would refuse of its signature."""

import functools
import pickle

import cloudpickle
import numpy as np
import pytest

from numerai_predict.contract.errors import InvalidModel
from numerai_predict.runner.child import model_loader
from numerai_predict.runner.child.model_loader import NotAModel
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.hosted_forms import SignatureForm
from numerai_predict.runner.model_defect import ModelDefect
from numerai_predict.runner.protocol import LoadedModel
from numerai_predict.runner.validation.hosted_signature import (
    require_hosted_signature,
    signature_reasons,
    signature_warnings,
)


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def loaded(model):
    arity = model_loader.positional_arity(model)
    return LoadedModel(arity, "predict", 0.1, model_loader.signature_form(model))


def third_with_default(live_features, live_benchmark_models, verbose=False):
    return ranks(live_features)


def second_and_third_default(live_features, features=None, model=None):
    return ranks(live_features)


def keyword_only(live_features, *, proportion=0.5):
    return ranks(live_features)


def kwargs_only(live_features, **kwargs):
    return ranks(live_features)


def with_model(live_features, model):
    return ranks(live_features)


def args_around(function):
    def wrapper(*args):
        return function(*args)

    return wrapper


def around(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def of_two(live_features, live_benchmark_models):
    return ranks(live_features)


class Model:
    def predict(self, live_features):
        return ranks(live_features)

    def predict_two(self, live_features, live_benchmark_models):
        return ranks(live_features)

    @staticmethod
    def static(live_features):
        return ranks(live_features)

    @classmethod
    def of_class(cls, live_features):
        return ranks(live_features)


class CallableWithOption:
    def __call__(self, live_features, *, debug=False):
        return ranks(live_features)


class CallableWithArgs:
    def __call__(self, *frames):
        return ranks(frames[0])


REFUSED = {
    "third_with_default": (third_with_default, 2, "3 parameters"),
    "second_and_third_default": (second_and_third_default, 2, "3 parameters"),
    "four_parameters": (lambda live, bench=None, a=1, b=2: ranks(live), 2, "4 parameters"),
    "keyword_only": (keyword_only, 1, "cannot be passed by position"),
    "kwargs_only": (kwargs_only, 1, "cannot be passed by position"),
    "kwargs_after_two": (lambda live, bench, **options: ranks(live), 2, "3 parameters"),
    "instance_with_keyword_only": (CallableWithOption(), 1, "cannot be passed by position"),
    "partial_keyword": (functools.partial(with_model, model=1), 1, "cannot be passed by position"),
    "partial_of_three": (functools.partial(third_with_default, verbose=True), 2, "3 parameters"),
    "decorated_args_only_two": (args_around(of_two), 2, "needs 2 frames"),
}

ACCEPTED = {
    "one": (ranks, 1),
    "two": (of_two, 2),
    "lambda": (lambda live: ranks(live), 1),
    "second_default_none": (lambda live, bench=None: ranks(live), 2),
    "partial_positional": (functools.partial(lambda model, live: ranks(live), 1), 1),
    "bound_method": (Model().predict, 1),
    "bound_method_of_two": (Model().predict_two, 2),
    "static_method": (Model.static, 1),
    "class_method": (Model.of_class, 1),
    "decorated_wraps": (functools.wraps(ranks)(around(ranks)), 1),
    "decorated_args_only": (args_around(ranks), 1),
    "args_without_function": (lambda *frames: ranks(frames[0]), 1),
    "instance_with_args": (CallableWithArgs(), 1),
    "decorated_plain": (around(of_two), 2),
    "one_and_args": (lambda live, *others: ranks(live), 2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_signature_that_hosted_compute_refuses_is_called_with_one_warning(name):
    model, arity, reason = REFUSED[name]
    found = loaded(model)
    assert found.arity == arity
    assert reason in signature_reasons(found)[0]
    assert signature_warnings(found) == [
        f"hosted compute would refuse this: {signature_reasons(found)[0]}"
    ]
    with pytest.raises(InvalidModel, match="hosted compute accepts"):
        require_hosted_signature(found)


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_signature_that_hosted_compute_accepts_is_not_refused(name):
    model, arity = ACCEPTED[name]
    found = loaded(model)
    assert found.arity == arity
    assert signature_reasons(found) == []
    require_hosted_signature(found)


@pytest.mark.parametrize("name", ["decorated_args_only", "instance_with_args"])
def test_a_model_of_args_alone_gets_one_frame_with_a_warning(name):
    (warning,) = signature_warnings(loaded(ACCEPTED[name][0]))
    assert "*args" in warning
    assert "gets one" in warning


async def asynchronous(live_features):
    return ranks(live_features)


async def asynchronous_generator(live_features):
    yield ranks(live_features)


def generator(live_features):
    yield ranks(live_features)


class AsyncCall:
    async def __call__(self, live_features):
        return ranks(live_features)


class GeneratorMethod:
    def predict(self, live_features):
        yield ranks(live_features)


def pipeline():
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    return make_pipeline(Ridge()).fit(np.random.rand(9, 2), np.random.rand(9))


NOT_MODELS = {
    "async_function": (lambda: asynchronous, "`async def`", ModelDefect.ASYNC),
    "async_generator": (lambda: asynchronous_generator, "`async def`", ModelDefect.ASYNC),
    "async_call": (AsyncCall, "`async def`", ModelDefect.ASYNC),
    "async_partial": (
        lambda: functools.partial(asynchronous),
        "`async def`",
        ModelDefect.ASYNC,
    ),
    "generator_function": (lambda: generator, "`yield`", ModelDefect.GENERATOR),
    "generator_method": (lambda: GeneratorMethod().predict, "`yield`", ModelDefect.GENERATOR),
    "class_itself": (lambda: Model, "a class, not an instance", ModelDefect.CLASS),
    "instance_with_predict": (Model, "its method `predict` can", ModelDefect.HAS_PREDICT),
    "sklearn_pipeline": (pipeline, "a Pipeline", ModelDefect.HAS_PREDICT),
    "dict_of_models": (lambda: {"model": 1}, "a dict", ModelDefect.COLLECTION),
    "list_of_functions": (lambda: [1], "a list", ModelDefect.COLLECTION),
    "tuple_of_models": (lambda: (1, 2), "a tuple", ModelDefect.COLLECTION),
    "saved_bytes_of_dumps": (
        lambda: cloudpickle.dumps(1),
        "the bytes of a pickle",
        ModelDefect.PICKLED_TWICE,
    ),
    "saved_bytearray": (
        lambda: bytearray(pickle.dumps(1)),
        "the bytes of a pickle",
        ModelDefect.PICKLED_TWICE,
    ),
    "none": (lambda: None, "None", ModelDefect.OTHER),
}


@pytest.mark.parametrize("name", NOT_MODELS)
def test_what_is_not_a_model_is_named_for_what_it_is(name, tmp_path, pickle_model):
    make, found, defect = NOT_MODELS[name]
    with pytest.raises(NotAModel) as refused:
        model_loader.load(str(pickle_model(cloudpickle.dumps(make()))))
    assert found in str(refused.value)
    assert refused.value.defect is defect


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("async_function", "`def` instead of `async def`"),
        ("generator_function", "`return` instead of `yield`"),
        ("class_itself", "pickle an instance"),
        ("instance_with_predict", "predict = lambda live: "),
        ("dict_of_models", "predict = lambda live: "),
        ("saved_bytes_of_dumps", "pickled twice"),
    ],
)
def test_the_remedy_for_what_is_not_a_model_has_the_line_to_write(run_model, name, remedy):
    model = NOT_MODELS[name][0]()
    run = run_model(cloudpickle.dumps(model) if isinstance(model, bytes) else model)
    run.fails_as("invalid_model", remedy)


def test_the_method_of_a_class_of_three_parameters_is_named(run_model):
    run = run_model(Model.predict_two)
    run.fails_as("invalid_model", "cloudpickle.dump(Model().predict, file)")


def swapped(live_benchmark_models, live_features):
    return ranks(live_features)


@pytest.mark.parametrize("model", [Model.predict, swapped], ids=["method", "swapped"])
def test_parameters_in_the_wrong_order_are_named_in_the_message(run_model, model):
    run = run_model(model)
    assert run.record["verdict"] in ("model_error", "invalid_predictions")
    assert "are the parameters swapped?" in run.record["message"]


@pytest.mark.parametrize("content", [7, {"parameters": 2}, {"misplaced": ["self"]}])
def test_a_form_that_breaks_the_schema_is_refused(content):
    with pytest.raises(MalformedFrame):
        SignatureForm.parse(content)


def target_column(live_features):
    return ranks(live_features).rename(columns={"prediction": "target"})


HOSTED = [
    pytest.param(keyword_only, "invalid_model", id="signature"),
    pytest.param(target_column, "invalid_predictions", id="predictions"),
]


@pytest.mark.parametrize(("model", "verdict"), HOSTED)
def test_what_hosted_compute_refuses_runs_with_a_warning_in_log_and_record(
    run_model, model, verdict
):
    run = run_model(model)
    run.succeeds()
    (warning,) = run.record["warnings"]
    (reason,) = run.record["hosted"]["reasons"]
    assert warning == f"hosted compute would refuse this: {reason}"
    assert run.record["hosted"]["accepted"] is False
    assert sum(warning in line for line in run.lines) == 1


@pytest.mark.parametrize(("model", "verdict"), HOSTED)
def test_hosted_mode_fails_where_hosted_compute_would(run_model, model, verdict):
    run = run_model(model, "--hosted")
    run.fails_as(verdict, "hosted compute accepts", run.record["hosted"]["reasons"][0])
    assert run.record["hosted"]["accepted"] is False


def test_a_usual_model_is_accepted_in_hosted_mode(run_model):
    run = run_model(ranks, "--hosted")
    run.succeeds()
    assert run.record["hosted"] == {"accepted": True, "reasons": []}
    assert run.record["warnings"] == []


def test_predictions_that_are_invalid_here_are_refused_by_hosted_compute_too(run_model):
    run = run_model(lambda live_features: ranks(live_features).iloc[:0])
    run.fails_as("invalid_predictions", "a DataFrame without rows")
    assert run.record["hosted"] == {"accepted": False, "reasons": [run.record["message"]]}


def test_a_failed_run_has_no_verdict_of_hosted_compute(run_model):
    run = run_model(lambda live_features: 1 / 0)
    assert run.record["hosted"] == {"accepted": None, "reasons": []}
