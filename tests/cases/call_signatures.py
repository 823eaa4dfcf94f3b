"""How models can be called."""

import asyncio
import dataclasses
import functools
import inspect
import pickle
import typing

import cloudpickle
import numpy as np
import pandas as pd
from case_table import CaseTable, fails, invalid, ok, refused_hosted, warned

TABLE = CaseTable()


def frame(live):
    """A good prediction."""
    values = live.filter(like="feature_").mean(axis=1).rank(pct=True, method="first")
    return (values * 0.9).to_frame("prediction")


def add(expected, **objects):
    """Add objects under their names."""
    for name, value in objects.items():
        TABLE.add(name, lambda value=value: value, expected)


def two(live_features, live_benchmark_models):
    """A model of both frames, which needs both."""
    return frame(live_features).loc[live_benchmark_models.index]


def with_options(live_features, options):
    """A function that something binds the options of."""
    return frame(live_features)


def with_options_last(live_features, live_benchmark_models, options):
    """A function of three parameters."""
    return two(live_features, live_benchmark_models)


def any_arguments(function):
    """A decorator without `functools.wraps`."""

    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def any_frames(function):
    """A decorator of arguments by position."""

    def wrapper(*args):
        return function(*args)

    return wrapper


class Model:
    """A model in a class, as people write them."""

    def __init__(self, features=None):
        self.features = features

    def predict(self, live_features):
        """A method that is a model."""
        return frame(live_features)

    def predict_two(self, live_features, live_benchmark_models):
        """A method that takes both frames."""
        return two(live_features, live_benchmark_models)

    def with_benchmarks(self, live_features, bench=None):
        """A method that can do without the benchmark models."""
        return frame(live_features)

    @staticmethod
    def static(live_features):
        """A function of a class."""
        return frame(live_features)

    @classmethod
    def of_class(cls, live_features):
        """A method of a class."""
        return frame(live_features)


class Callable:
    """An instance that is a model."""

    def __init__(self, **options):
        self.options = options

    def __call__(self, live_features):
        """The prediction."""
        return frame(live_features)


class CallableOfTwo(Callable):
    """An instance that takes both frames."""

    def __call__(self, live_features, live_benchmark_models):
        """The prediction."""
        return two(live_features, live_benchmark_models)


class CallableWithOption(Callable):
    """An instance with an option."""

    def __call__(self, live_features, *, debug=False):
        """The prediction."""
        return frame(live_features)


class CallableOfFrames(Callable):
    """An instance that takes any frames."""

    def __call__(self, *frames):
        """The prediction."""
        return frame(frames[0])


class AsyncCallable:
    """An instance of a server's kind."""

    async def __call__(self, live_features):
        """The prediction."""
        return frame(live_features)


@dataclasses.dataclass
class Configured:
    """A data class that is a model."""

    features: list

    def __call__(self, live_features):
        """The prediction."""
        return frame(live_features)


class Rows(typing.NamedTuple):
    """A tuple that can be called."""

    weight: float

    def __call__(self, live_features):
        """The prediction."""
        return frame(live_features) * self.weight


# One frame or two, as Python calls them.
add(
    ok(),
    one_frame=frame,
    two_frames=two,
    lambda_expr=lambda live: frame(live),
    positional_only=lambda live, /: frame(live),
    two_positional_only=lambda live, bench, /: two(live, bench),
    second_default_none=lambda live, live_benchmark_models=None: frame(live),
    both_defaults=lambda live=None, bench=None: frame(live),
    decorated_wraps=functools.wraps(frame)(any_arguments(frame)),
    decorated_wraps_of_two=functools.wraps(two)(any_arguments(two)),
    bound_method=Model().predict,
    bound_method_of_two=Model().predict_two,
    static_method=Model.static,
    class_method=Model.of_class,
    callable_instance=Callable(),
    callable_instance_of_two=CallableOfTwo(),
    dataclass_callable=Configured(["a"]),
    named_tuple_callable=Rows(0.5),
    partial_positional=functools.partial(lambda model, live: frame(live), 1),
    partial_of_partial=functools.partial(functools.partial(lambda a, b, live: frame(live), 1), 2),
    method_of_partial=functools.partial(Model.predict, Model()),
    one_frame_and_args=lambda live, *others: frame(live),
)
add(
    fails(
        "model_error",
        "takes 1 positional argument but 2 were given",
        "write the line @functools.wraps(function) above `def wrapper` in the decorator",
    ),
    decorated_plain=any_arguments(frame),
    decorated_twice=any_arguments(any_arguments(frame)),
)


@TABLE.made_by(ok())
def overridden_signature():
    """A wrapper that says what it takes."""

    def wrapper(*args, **kwargs):
        return frame(*args, **kwargs)

    wrapper.__signature__ = inspect.signature(frame)
    return wrapper


@TABLE.made_by(ok())
def annotations_by_string():
    """Annotations that are text, which nothing evaluates."""

    def predict(live: "frame.Nothing", bench: "Unknown | None" = None) -> "Frame":  # noqa: F821
        return frame(live)

    return predict


add(
    warned("*args", "gets one"),
    decorated_args_only=any_frames(frame),
    decorated_args_only_twice=any_frames(any_frames(frame)),
    lambda_of_args=lambda *frames: frame(frames[0]),
    callable_instance_of_args=CallableOfFrames(),
)

# What hosted compute refuses: it counts the parameters and passes the frames by position.
add(
    refused_hosted("the model needs 2 frames, and hosted compute passes one to *args"),
    decorated_args_only_two=any_frames(two),
)
add(
    refused_hosted("the model has 3 parameters, not 1 or 2: those with defaults count"),
    third_with_default=lambda live, bench, verbose=False: two(live, bench),
    second_and_third_default=lambda live, features=None, model=None: frame(live),
    options_after_two=lambda live, bench, **options: two(live, bench),
    args_and_options=lambda live, *others, **options: frame(live),
    keyword_only_after_two=lambda live, bench, *, debug=False: two(live, bench),
    partial_keyword_of_three=functools.partial(with_options_last, options=1),
)
add(
    refused_hosted("one of them cannot be passed by position"),
    keyword_only=lambda live, *, proportion=0.5: frame(live),
    kwargs_only=lambda live, **kwargs: frame(live),
    callable_instance_with_option=CallableWithOption(),
    partial_keyword=functools.partial(with_options, options=1),
    partial_keyword_of_method=functools.partial(Model().with_benchmarks, bench=None),
)
# A second parameter that is an option receives the benchmark models, as in hosted compute.
add(
    invalid("prediction(s) NaN"),
    second_default_float=lambda live, proportion=1.0: frame(live) * proportion,
)
add(
    fails("model_error", "ufunc"),
    numpy_vectorize=np.vectorize(lambda live: live["no"]),
)
add(
    fails("invalid_model", "`async def`", "`def` instead of `async def`"),
    async_instance=AsyncCallable(),
    async_partial=functools.partial(AsyncCallable().__call__),
)
add(
    fails("invalid_model", "a class, not an instance", "pickle an instance"),
    class_itself=Model,
    class_of_python=dict,
)
add(
    fails("invalid_model", "cannot be called; its method `predict` can", "predict = lambda live: "),
    instance_with_predict=Model(),
)
add(
    fails("invalid_model", "which cannot be called", "predict = lambda live: "),
    dict_of_models={"model": frame, "features": ["a"]},
    list_of_functions=[frame],
    tuple_of_model_and_features=(Model(), ["a"]),
    set_of_models={frame},
)
add(
    fails("invalid_model", "the bytes of a pickle", "pickled twice"),
    saved_bytes_of_dumps=cloudpickle.dumps(frame),
    saved_bytearray=bytearray(pickle.dumps(1)),
    saved_bytes_of_protocol_0=pickle.dumps({"a": 1}, protocol=0),
)
add(
    fails("invalid_model", "which cannot be called", "pickle the function itself"),
    nothing_at_all=None,
    frame_itself=pd.DataFrame({"a": [1]}),
    array_of_weights=np.ones(3),
    text_of_code="def predict(live): ...",
    file_name="model.pkl",
    plain_number=42,
)
add(
    fails("invalid_model", "expected a function predict(live_features)"),
    no_parameters=lambda: None,
    three_parameters=lambda live, bench, model: two(live, bench),
    required_keyword=lambda live, *, model: frame(live),
    options_alone=lambda **options: None,
    built_in=min,
)
add(
    fails("invalid_model", "cloudpickle.dump(Model().predict, file)"),
    unbound_method_of_two=Model.predict_two,
)
SWAPPED = "are the parameters swapped?"
add(
    invalid(SWAPPED, "the first parameter, self, received the live features"),
    unbound_method=Model.predict,
)
add(
    invalid(SWAPPED, "the first parameter, live_benchmark_models, received the live features"),
    wrong_order_names=lambda live_benchmark_models, live_features: frame(live_features),
)
add(
    fails("model_error", SWAPPED, "the first parameter, benchmarks, received"),
    wrong_order_that_raises=lambda benchmarks, live: frame(live)[live["feature_a"]],
)


@TABLE.made_by(fails("invalid_model", "`async def`", "`def` instead of `async def`"))
def async_function():
    """A function of a server's kind."""

    async def predict(live_features):
        await asyncio.sleep(0)
        return frame(live_features)

    return predict


@TABLE.made_by(fails("invalid_model", "`async def`"))
def async_generator():
    """Both."""

    async def predict(live_features):
        yield frame(live_features)

    return predict


@TABLE.made_by(fails("invalid_model", "it contains `yield`", "`return` instead of `yield`"))
def generator_function():
    """A function that yields."""

    def predict(live_features):
        yield frame(live_features)

    return predict


@TABLE.made_by(fails("model_error", "RecursionError"))
def recursion():
    """A function that was redefined under its own name."""

    def predict(live_features):
        return predict(live_features)

    return predict


@TABLE.made_by(fails("invalid_model", "its method `predict` can", "predict = lambda live: "))
def sklearn_pipeline():
    """A fitted pipeline, without a function around it."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), Ridge()).fit(np.eye(3), np.arange(3))


@TABLE.made_by(fails("invalid_model", "its method `predict` can", "predict = lambda live: "))
def lightgbm_booster():
    """A booster, without a function around it."""
    import lightgbm

    options = {"verbose": -1, "min_data_in_leaf": 1, "min_data_in_bin": 1}
    data = lightgbm.Dataset(np.arange(40.0).reshape(20, 2), np.arange(20.0))
    return lightgbm.train(options, data, num_boost_round=1)
