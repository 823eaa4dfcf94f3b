"""The models of the corpus: every shape of callable that users pickle, each a small one.

    python shapes.py FILE.zip

Runs as a script, so that everything is defined in `__main__` and cloudpickle stores it by value:
for that reason the module is not split, although it is long. Writes one pickle per shape with
the running Python and cloudpickle, and `expected.json`: what each shape returns for `live()`, or
why it is missing.
"""

import contextlib
import dataclasses
import functools
import io
import json
import sys
import zipfile

import cloudpickle
import numpy as np
import pandas as pd

FEATURES = ["feature_sample_0000", "feature_sample_0001", "feature_sample_0002"]
SHAPES = {}


def shape(make):
    """Register a function that makes a model; its own name is the shape's."""
    SHAPES[make.__name__] = make
    return make


def live():
    """Live data that every shape is called with, of the sample's columns."""
    values = np.arange(90).reshape(30, 3) * 7 % 5
    index = pd.Index([f"n{number:015x}" for number in range(30)], name="id")
    return pd.DataFrame(values.astype(np.int8), index, FEATURES)


def ranked(frame):
    """Predictions in (0, 1], no two alike."""
    score = frame[FEATURES].astype(float) @ [0.5, 0.3, 0.2]
    return score.rank(pct=True, method="first").to_frame("prediction")


def blended(frame, weights):
    score = sum(weight * frame[name] for weight, name in zip(weights, FEATURES))
    return score.rank(pct=True, method="first").to_frame("prediction")


@shape
def a_lambda():
    return lambda live_features: ranked(live_features)


@shape
def a_lambda_without_globals():
    return lambda live_features: live_features[["feature_sample_0000"]].rank(
        pct=True, method="first"
    )


@shape
def a_function():
    def predict(live_features):
        return ranked(live_features)

    return predict


@shape
def two_arguments():
    def predict(live_features, live_benchmark_models=None):
        return ranked(live_features)

    return predict


@shape
def defaults():
    def powers(weights=(0.1, 0.7, 0.2), power=1):
        return [weight**power for weight in weights]

    def predict(live_features, *, power=2):
        return blended(live_features, powers(power=power))

    return predict


@shape
def annotations():
    def predict(live_features: pd.DataFrame, *, other: "int | None" = None) -> pd.DataFrame:
        result: pd.DataFrame = ranked(live_features)
        return result

    return predict


@shape
def a_docstring():
    def predict(live_features):
        """Rank the features."""
        return ranked(live_features)

    return predict


@shape
def closure():
    weights = [0.2, 0.2, 0.6]

    def predict(live_features):
        return blended(live_features, weights)

    return predict


@shape
def a_lookup():
    """Calls nothing: its few instructions are the same for more than one Python."""
    known = ranked(live())
    return lambda live_features: known


@shape
def closure_of_closure():
    first = 0.3

    def outer():
        second = 0.4

        def predict(live_features):
            return blended(live_features, [first, second, first + second])

        return predict

    return outer()


@shape
def nested():
    def predict(live_features):
        def weigh(number):
            def half(value):
                return value / 2

            return half(number) + 0.1

        return blended(live_features, [weigh(number) for number in range(3)])

    return predict


@shape
def recursive():
    def fibonacci(number):
        return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

    def predict(live_features):
        return blended(live_features, [fibonacci(number) for number in (3, 5, 7)])

    return predict


@shape
def generator():
    def weights(count):
        for number in range(count):
            received = yield number / 10 + 0.1
            if received:
                return

    def predict(live_features):
        return blended(live_features, list(weights(3)))

    return predict


@shape
def yield_from():
    def inner():
        yield 0.3
        yield 0.2

    def weights():
        yield 0.5
        yield from inner()

    def predict(live_features):
        return blended(live_features, weights())

    return predict


@shape
def coroutine():
    async def weight(number):
        return number * 0.2 + 0.1

    async def weights():
        return [await weight(number) for number in range(3)]

    def predict(live_features):
        import asyncio

        return blended(live_features, asyncio.run(weights()))

    return predict


@shape
def async_iteration():
    class Weights:
        def __aiter__(self):
            self.left = [0.1, 0.5, 0.4]
            return self

        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

        async def __aenter__(self):
            return self

        async def __aexit__(self, *error):
            return False

    async def numbers():
        for number in (1, 2):
            yield number

    async def gather():
        async with Weights() as weights:
            found = [weight async for weight in weights]
        async for number in numbers():
            found.append(number)
        return found[:3]

    def predict(live_features):
        import asyncio

        return blended(live_features, asyncio.run(gather()))

    return predict


@shape
def comprehensions():
    def predict(live_features):
        weights = {name: len(name) / 30 + i / 9 for i, name in enumerate(FEATURES) if name}
        known = {name for name in weights if name.startswith("feature")}
        pairs = [(a, b) for a in known for b in sorted(known) if a < b]
        total = sum(weight for weight in weights.values())
        return blended(live_features, [w / total + len(pairs) for w in weights.values()])

    return predict


@shape
def comprehension_in_class():
    class Weights:
        scale = 2
        values = [number / 10 for number in (1, 2, 3)]

        def scaled(self):
            return [value * self.scale for value in self.values]

    def predict(live_features):
        return blended(live_features, Weights().scaled())

    return predict


@shape
def loops():
    def predict(live_features):
        weights, number = [], 0
        while True:
            number += 1
            if number % 2:
                continue
            weights.append(number / 10)
            if len(weights) > 2:
                break
        else:
            weights = None
        for _ in range(2):
            for i, weight in enumerate(weights):
                weights[i] = weight * 0.9
        return blended(live_features, weights)

    return predict


@shape
def try_except_finally():
    def predict(live_features):
        weights = []
        try:
            weights.append({"a": 0.2}["b"])
        except (KeyError, IndexError) as error:
            weights.append(len(error.args) / 5)
        else:
            weights.append(9)
        finally:
            weights.append(0.3)
        try:
            try:
                raise ValueError("inner")
            finally:
                weights.append(0.4)
        except ValueError:
            pass
        return blended(live_features, weights)

    return predict


@shape
def raise_from():
    def weight():
        try:
            int("none")
        except ValueError as error:
            raise LookupError("no weight") from error

    def predict(live_features):
        try:
            weight()
        except LookupError as error:
            return blended(live_features, [0.1, 0.2, len(str(error.__cause__)) / 99])

    return predict


@shape
def with_statement():
    @contextlib.contextmanager
    def weights():
        yield [0.2, 0.3, 0.5]

    def predict(live_features):
        with weights() as first, io.StringIO("0.4") as second:
            return blended(live_features, [*first[:2], float(second.read())])

    return predict


@shape
def with_that_swallows():
    def predict(live_features):
        weights = [0.3, 0.3]
        with contextlib.suppress(ZeroDivisionError):
            weights.append(1 / 0)
        weights.append(0.7)
        return blended(live_features, weights)

    return predict


@shape
def match_statement():
    def weight(thing):
        match thing:
            case [first, *_] if first > 3:
                return 0.1
            case {"weight": value, **rest}:
                return value + len(rest)
            case str(text) | bytes(text):
                return len(text) / 10
            case None:
                return 0.7
            case _:
                return 0.4

    def predict(live_features):
        return blended(live_features, map(weight, ({"weight": 0.2}, "abc", [5, 6])))

    return predict


@shape
def match_of_class():
    @dataclasses.dataclass
    class Point:
        x: float
        y: float

    def weight(point):
        match point:
            case Point(x=0, y=value):
                return value
            case Point(x, y):
                return x + y

    def predict(live_features):
        return blended(live_features, [weight(Point(0, 0.4)), weight(Point(1, 0.2)), 0.3])

    return predict


@shape
def walrus():
    def predict(live_features):
        weights = [half for number in (1, 2, 3) if (half := number / 2) > 0]
        if (count := len(weights)) > 2:
            weights[0] = count
        return blended(live_features, weights)

    return predict


@shape
def f_string():
    def predict(live_features):
        names = [f"feature_{'sample'}_{number:04d}" for number in range(3)]
        text = f"{len(names)!r:>4}{names=}"
        return blended(live_features, [len(text) / 100, len(names[0]) / 50, 0.1])

    return predict


@shape
def star_arguments():
    def weights(first, /, *others, last=0.2, **named):
        return [first, *others, last, *named.values()]

    def predict(*frames, **options):
        arguments, named = (0.3, 0.1), {"last": 0.5}
        return blended(frames[0], weights(*arguments, **named, **options))

    return predict


@shape
def unpacking():
    def predict(live_features):
        first, *middle, last = [0.1, 0.2, 0.3, 0.4]
        (a, b), c = (first, last), middle
        both = {**{"a": a}, **{"b": b}}
        return blended(live_features, [*both.values(), c[0]])

    return predict


@shape
def decorated():
    def doubled(function):
        @functools.wraps(function)
        def wrapper(live_features):
            result = function(live_features)
            return (result + result) / 2

        return wrapper

    @doubled
    def predict(live_features):
        return ranked(live_features)

    return predict


@shape
def memoized():
    def remembering(function):
        known = {}

        def remembered(number):
            if number not in known:
                known[number] = function(number)
            return known[number]

        return remembered

    @remembering
    def weight(number):
        return number / 7

    def predict(live_features):
        return blended(live_features, [weight(number) for number in (1, 2, 1)])

    return predict


@shape
def a_partial():
    def predict(weights, live_features):
        return blended(live_features, weights)

    return functools.partial(predict, [0.7, 0.1, 0.1])


class Model:
    """A class of the script: stored by value."""

    scale = 2

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, live_features):
        return self.predict(live_features)

    def predict(self, live_features):
        return blended(live_features, [weight * self.scale for weight in self.weights])

    @property
    def heaviest(self):
        return max(self.weights)

    @staticmethod
    def of_static(live_features):
        return blended(live_features, [0.3, 0.1, 0.9])

    @classmethod
    def of_class(cls, live_features):
        return blended(live_features, [cls.scale, 1, 3])


class Child(Model):
    """Uses `super`, whose class lies in a closure."""

    def __init__(self, weights):
        super().__init__([weight + 0.05 for weight in weights])
        self.seen = 0

    def predict(self, live_features):
        self.seen += 1
        return super().predict(live_features)


@shape
def bound_method():
    return Model([0.1, 0.2, 0.4]).predict


@shape
def static_method():
    return Model.of_static


@shape
def class_method():
    return Model.of_class


@shape
def callable_object():
    return Model([0.3, 0.2, 0.4])


@shape
def callable_child_with_super():
    return Child([0.3, 0.1, 0.4])


@shape
def a_dataclass():
    @dataclasses.dataclass(frozen=True)
    class Blend:
        weights: list
        power: float = 1.0
        names: list = dataclasses.field(default_factory=lambda: list(FEATURES))

        def __call__(self, live_features):
            return blended(live_features, [weight**self.power for weight in self.weights])

    return Blend([0.3, 0.2, 0.1], power=2)


@shape
def slots_and_property():
    class Slots:
        __slots__ = ("weights",)

        def __init__(self):
            self.weights = [0.3, 0.3, 0.9]

        @property
        def halved(self):
            return [weight / 2 for weight in self.weights]

        def __call__(self, live_features):
            return blended(live_features, self.halved)

    return Slots()


@shape
def a_nonlocal():
    calls = 0

    def predict(live_features):
        nonlocal calls
        calls += 1
        return blended(live_features, [calls, 0.5, 0.25])

    return predict


@shape
def class_in_closure():
    class Weights:
        values = (0.4, 0.1, 0.3)

        def get(self):
            return [value * len(self.values) for value in self.values]

    def predict(live_features):
        return blended(live_features, Weights().get())

    return predict


COUNT = 3
STEPS = {
    "rank": lambda frame: ranked(frame),
    "flip": lambda frame: 1.01 - frame.clip(0.02, 1),
}


@shape
def global_dict_of_functions():
    def predict(live_features):
        result = live_features
        for step in ("rank", "flip"):
            result = STEPS[step](result)
        return result / 1.01

    return predict


@shape
def global_statement():
    def predict(live_features):
        global COUNT
        COUNT += 1
        return blended(live_features, [COUNT, 1, 2])

    return predict


@shape
def imports_in_the_body():
    def predict(live_features):
        import math
        import os.path
        from collections import OrderedDict as Ordered

        assert os.path.basename("a/b") == "b", "no path"
        weights = Ordered(a=math.pi, b=math.e, c=math.tau)
        return blended(live_features, weights.values())

    return predict


@shape
def operators():
    def predict(live_features):
        bits = (5 & 3) | (4 ^ 1) << 2 >> 1
        number = -bits % 7 // 2**1 + ~bits
        truth = not (1 < bits <= 40) or bits is None or bits in (1, 2)
        part = FEATURES[0:2] + FEATURES[-1:]
        scores = live_features[part].to_numpy() @ np.array([0.1, 0.6, 0.3])
        del bits
        scores += truth * number
        ranks = pd.Series(scores, live_features.index).rank(pct=True, method="first")
        return ranks.to_frame("prediction")

    return predict


@shape
def many_constants():
    lines = [f"    value{i} = {i}.5 if frame is not None else 'text{i}'" for i in range(300)]
    source = "\n".join(["def predict(frame):", *lines, "    return ranked(frame)"])
    scope = {"ranked": ranked, "__name__": "__main__"}
    exec(source, scope)
    return scope["predict"]


def _training():
    frame = live()
    return frame, (frame @ [0.5, 0.3, 0.2] / 4).to_numpy()


def _predicting(model):
    def predict(live_features):
        scores = model.predict(live_features[FEATURES].astype(np.float32))
        ranks = pd.Series(np.asarray(scores).ravel().round(4), live_features.index)
        return ranks.rank(pct=True, method="first").to_frame("prediction")

    return predict


@shape
def model_of_lightgbm():
    import lightgbm

    frame, target = _training()
    options = {"verbose": -1, "min_data_in_leaf": 2, "num_leaves": 3, "num_threads": 1}
    return _predicting(lightgbm.train(options, lightgbm.Dataset(frame, target), 3))


@shape
def model_of_xgboost():
    import xgboost

    frame, target = _training()
    model = xgboost.XGBRegressor(n_estimators=3, max_depth=2, n_jobs=1)
    return _predicting(model.fit(frame.astype(np.float32), target))


@shape
def model_of_catboost():
    import catboost

    frame, target = _training()
    options = {"iterations": 2, "depth": 2, "verbose": 0, "allow_writing_files": False}
    model = catboost.CatBoostRegressor(thread_count=1, **options)
    return _predicting(model.fit(frame.astype(np.float32), target))


@shape
def model_of_scikit_learn():
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame, target = _training()
    pipeline = make_pipeline(StandardScaler(), Ridge())
    return _predicting(pipeline.fit(frame.astype(np.float32), target))


@shape
def model_of_torch():
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def forward(self, values):
            return torch.sigmoid(self.layer(values))

    torch.manual_seed(7)
    net = Net()

    def predict(live_features):
        with torch.no_grad():
            scores = net(torch.tensor(live_features[FEATURES].to_numpy(np.float32)))
        ranks = pd.Series(scores.numpy().ravel().round(4), live_features.index)
        return ranks.rank(pct=True, method="first").to_frame("prediction")

    return predict


def call(model, frame):
    """The predictions as plain numbers."""
    return [round(float(value), 6) for value in model(frame).iloc[:, 0]]


def main(path):
    """Write the pickles of all shapes that can be made here."""
    expected = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, make in SHAPES.items():
            try:
                data = cloudpickle.dumps(make())
                expected[name] = call(cloudpickle.loads(data), live())
            except ImportError as error:
                expected[name] = f"not made: {error}"
                continue
            archive.writestr(zipfile.ZipInfo(f"{name}.pkl"), data)
        archive.writestr(zipfile.ZipInfo("expected.json"), json.dumps(expected, indent=0))
    left_out = [f"{name} ({why})" for name, why in expected.items() if isinstance(why, str)]
    print(
        "Python {}.{}, cloudpickle {}: {} shapes{}".format(
            *sys.version_info[:2],
            cloudpickle.__version__,
            len(expected) - len(left_out),
            f", without {', '.join(left_out)}" if left_out else "",
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
