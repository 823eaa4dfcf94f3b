"""The tree engine predicts a model unless it is turned off; the predictions are the same."""

import lightgbm
import numpy as np
import pytest

from numerai_predict.data.synthetic import SampleShape, write_sample

FEATURES = 42


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """Live data of 6,000 rows, enough for the engine to be faster."""
    directory = tmp_path_factory.mktemp("live") / "sample"
    write_sample(directory, SampleShape(6000, 60, 1, 1, features=FEATURES))
    return directory


@pytest.fixture(scope="module")
def trees():
    """A model of 200 trees."""
    rows = np.random.default_rng(1).integers(0, 5, (2000, FEATURES)).astype(np.float32)
    target = rows[:, 0] * rows[:, 1] + rows[:, 2]
    data = lightgbm.Dataset(rows, target, params={"verbose": -1})
    booster = lightgbm.train({"num_leaves": 31, "verbose": -1}, data, 200)

    def predict(live_features):
        features = [name for name in live_features if name.startswith("feature_")]
        frame = live_features[[]].assign(prediction=booster.predict(live_features[features]))
        return frame.rank(pct=True)

    return predict


@pytest.fixture
def run_on(run_model, live):
    def run(model, *options, **environment):
        data = ("--dataset", live / "live.parquet")
        data += ("--benchmarks", live / "live_benchmark_models.parquet")
        return run_model(model, *data, *options, environment=environment)

    return run


def test_the_record_says_what_predicted_the_trees_and_the_predictions_do_not_depend_on_it(
    run_on, trees
):
    engine = run_on(trees)
    by_engine = engine.succeeds()
    assert engine.record["acceleration"]["used"] == "engine"
    assert "200 trees, 256 rows equal" in engine.record["acceleration"]["reasons"][0]
    for path in engine.predictions:
        path.unlink()
    library = run_on(trees, "--no-acceleration")
    assert library.succeeds().equals(by_engine)
    assert library.record["acceleration"] == {
        "used": "library",
        "reasons": ["all: library, the engine is off"],
    }


@pytest.mark.parametrize(("value", "used"), [("0", "library"), ("1", "engine"), ("", "engine")])
def test_the_variable_turns_the_engine_off(run_on, trees, value, used):
    run = run_on(trees, NUMERAI_ACCELERATION=value)
    run.succeeds()
    assert run.record["acceleration"]["used"] == used
