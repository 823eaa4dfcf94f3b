"""The pickled callable: name and parameters from static analysis."""

import functools
import sys

import cloudpickle


def test_a_function_is_described_by_name_and_parameters(inspected):
    def predict(live_features, live_benchmark_models=None, *rest, scale=1, **options):
        return live_features

    assert inspected(predict).holds.parameters == [
        *("live_features", "live_benchmark_models", "*rest", "scale", "**options")
    ]
    assert str(inspected(predict).holds).endswith(
        "predict(live_features, live_benchmark_models, *rest, scale, **options)"
    )


class Model:
    def predict(self, live_features):
        return live_features

    def __call__(self, live_features, live_benchmark_models):
        return live_features


def test_methods_partials_and_instances_are_described(inspected):
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        assert str(inspected(Model().predict).holds).endswith("predict(live_features)")
        assert str(inspected(Model()).holds) == "Model(live_features, live_benchmark_models)"
        assert "partial of" in str(inspected(functools.partial(Model().predict, 1)).holds)
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    assert str(inspected({"a": 1}).holds) == "a dict"
    assert str(inspected(b"cos\nsystem\n.").holds) == "posix.system" or "os.system"
