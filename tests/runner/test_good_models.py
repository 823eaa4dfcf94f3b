"""Models of the usual libraries run, from real pickles to a valid file."""

import hashlib
import warnings

import numpy as np
import pandas as pd
import pytest

FEATURES = [f"feature_sample_{number:04d}" for number in range(42)]


def train_lightgbm(x, y):
    import lightgbm

    parameters = {"num_leaves": 4, "num_threads": 1, "verbose": -1, "seed": 1}
    return lightgbm.train(parameters, lightgbm.Dataset(x, y), num_boost_round=5).predict


def train_xgboost(x, y):
    import xgboost

    return xgboost.XGBRegressor(n_estimators=5, max_depth=2, n_jobs=1).fit(x, y).predict


def train_catboost(x, y):
    import catboost

    model = catboost.CatBoostRegressor(
        iterations=5, depth=2, thread_count=1, verbose=0, allow_writing_files=False
    )
    return model.fit(x, y).predict


def train_sklearn(x, y):
    from sklearn.linear_model import Ridge

    return Ridge().fit(x, y).predict


def train_pandas(x, y):
    weights = x.corrwith(y)
    return lambda frame: (frame * weights).sum(axis=1).to_numpy()


TRAINERS = [train_lightgbm, train_xgboost, train_catboost, train_sklearn, train_pandas]


@pytest.fixture(scope="module")
def train(sample):
    """The sample's training data, as features and target."""
    frame = pd.read_parquet(sample / "train.parquet")
    return frame[FEATURES], frame["target"]


def one_argument(score):
    def predict(live_features):
        scores = pd.Series(score(live_features[FEATURES]), live_features.index)
        return scores.rank(pct=True, method="first").to_frame("prediction")

    return predict


def two_arguments(score):
    def predict(live_features, live_benchmark_models):
        scores = pd.Series(score(live_features[FEATURES]), live_features.index)
        benchmark = live_benchmark_models["v52_lgbm_ender20"].reindex(live_features.index)
        both = scores.rank(pct=True) + benchmark.rank(pct=True)
        return both.rank(pct=True, method="first").to_frame("prediction")

    return predict


@pytest.fixture
def live(sample):
    return pd.read_parquet(sample / "live.parquet")


@pytest.fixture
def benchmarks(sample):
    return pd.read_parquet(sample / "live_benchmark_models.parquet")


def assert_same_predictions(written, returned, live):
    assert list(written.columns) == ["id", "prediction"]
    assert list(written["id"]) == list(live.index)
    expected = returned["prediction"].reindex(live.index).to_numpy(dtype=float)
    np.testing.assert_array_equal(written["prediction"].to_numpy(), expected)


@pytest.mark.parametrize("trainer", TRAINERS, ids=lambda trainer: trainer.__name__)
def test_a_model_with_one_argument_is_run_on_the_live_data_alone(
    run_model, train, trainer, live, tmp_path
):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predict = one_argument(trainer(*train))
        expected = predict(live)
    run = run_model(predict, "--benchmarks", tmp_path / "missing.parquet")
    assert_same_predictions(run.succeeds(), expected, live)
    assert run.record["model"]["arity"] == 1
    assert run.record["benchmarks"]["source"] is None


@pytest.mark.parametrize("trainer", TRAINERS, ids=lambda trainer: trainer.__name__)
def test_a_model_with_two_arguments_gets_the_benchmarks_too(
    run_model, train, trainer, live, benchmarks, sample
):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predict = two_arguments(trainer(*train))
        expected = predict(live, benchmarks)
    run = run_model(predict)
    assert_same_predictions(run.succeeds(), expected, live)
    assert run.record["model"]["arity"] == 2
    facts = run.record["benchmarks"]
    assert facts["source"] == str(sample / "live_benchmark_models.parquet")
    assert (facts["rows"], facts["columns"]) == (200, 2)


def plain(live_features):
    ranks = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return ranks.to_frame("prediction")


def test_the_model_sees_the_files_as_pandas_reads_them(run_model, live, benchmarks):
    def predict(live_features, live_benchmark_models):
        pd.testing.assert_frame_equal(live_features, expected_live)
        pd.testing.assert_frame_equal(live_benchmark_models, expected_benchmarks)
        return plain(live_features)

    expected_live, expected_benchmarks = live, benchmarks
    run_model(predict).succeeds()


def test_the_record_names_model_data_and_environment(run_model, pickle_model, sample):
    path = pickle_model(plain)
    run = run_model(path)
    values = run.succeeds()["prediction"]
    record = run.record
    assert record["model"]["source"] == str(path)
    assert record["model"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record["model"]["bytes"] == path.stat().st_size
    assert record["dataset"]["source"] == str(sample / "live.parquet")
    assert (record["dataset"]["rows"], record["dataset"]["columns"]) == (200, 65)
    digest = hashlib.sha256(run.predictions[0].read_bytes()).hexdigest()
    assert record["predictions"]["sha256"] == digest
    assert record["predictions"]["rows"] == 200
    assert record["predictions"]["min"] == values.min()
    assert record["predictions"]["max"] == values.max()
    assert record["predictions"]["std"] == pytest.approx(values.std())
    assert record["delivered_to"] == record["predictions"]["path"]
    assert record["peak_memory_bytes"] > 10 * 1024**2
    assert record["warnings"] == []
    assert record["remedy"] is None
    assert all(seconds >= 0 for seconds in record["seconds"].values())
    assert record["environment"]["python"].startswith("3.")


def test_each_run_writes_a_file_of_its_own(run_model):
    (first,) = run_model(plain).predictions
    both = run_model(plain).predictions
    assert len(both) == 2
    assert first in both
    assert first.read_bytes() == both[0].read_bytes() == both[1].read_bytes()


def test_the_limits_can_be_lifted(run_model):
    run_model(plain, "--timeout", "none", "--memory", "none").succeeds()


def test_the_path_of_the_model_is_taken_from_the_working_directory(run_model, pickle_model):
    pickle_model(plain, "here.pkl")
    run_model("here.pkl").succeeds()
