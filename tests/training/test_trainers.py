"""LightGBM is loaded in blocks of columns and learns the same as from the whole table."""

import lightgbm
import numpy as np
import pytest

from numerai_predict.data.era_table import EraTable
from numerai_predict.training.early_stopping import EarlyStopping, StoppingRule
from numerai_predict.training.predict_template import (
    combine,
    load_model,
    predict_with,
    rank_in_unit_interval,
)
from numerai_predict.training.trainers import interface
from numerai_predict.training.trainers.lightgbm import LightGBM
from numerai_predict.training.trainers.parameters import LightGBMSettings

SETTINGS = LightGBMSettings(num_leaves=8, min_data_in_leaf=30, learning_rate=0.1)
NAMES = [f"feature_sample_{number:04d}" for number in range(42)]
ROUNDS = 20
EVERY_ROUND = StoppingRule("corr", 5, 0, ROUNDS)


@pytest.fixture(scope="module")
def rows(data):
    history = EraTable.of([data / "train.parquet"], [*NAMES, "target"])
    target = history.column("target")
    return interface.TrainingRows(history, np.ones(len(target), np.bool_), NAMES, target)


def fit(rows, threads=1, stopping=None, rule=EVERY_ROUND):
    trainer = LightGBM(SETTINGS, "cpu", threads)
    observer = EarlyStopping(
        rule,
        None if stopping is None else stopping.target,
        None if stopping is None else stopping.history.eras[stopping.mask],
        lambda rounds: None,
    )
    stopping_data = None if stopping is None else trainer.load(stopping)
    return trainer.fit(trainer.load(rows), stopping_data, 42, rule.rounds, observer), observer


def test_the_number_of_threads_changes_nothing(rows):
    assert fit(rows, threads=1)[0] == fit(rows, threads=2)[0]


def test_blocks_of_few_columns_make_the_same_model(rows, monkeypatch):
    whole, _ = fit(rows)
    monkeypatch.setattr(interface, "_COLUMNS_BYTES", 5 * len(rows.target))
    assert len(list(rows.column_blocks())) == 9
    assert fit(rows)[0] == whole


def test_it_is_the_model_that_lightgbm_makes_of_the_whole_table(rows):
    body, _ = fit(rows)
    features = rows.history.features(NAMES, rows.mask)
    parameters = {**LightGBM(SETTINGS, "cpu", 1).facts()["parameters"], "num_threads": 1}
    parameters |= {"bagging_seed": 42, "feature_fraction_seed": 43, "objective_seed": 44}
    table = lightgbm.Dataset(features.astype(np.float32), rows.target, params=parameters)
    bare = lightgbm.train(parameters, table, ROUNDS)
    ours = predict_with(load_model("lightgbm", body), features)
    np.testing.assert_allclose(ours, bare.predict(features.astype(np.float32)), atol=1e-6)


@pytest.mark.slow
def test_the_best_rounds_on_the_stopping_rows_are_kept(rows, data):
    history = EraTable.of([data / "validation.parquet"], [*NAMES, "target"])
    target = history.column("target")
    stopping = interface.TrainingRows(history, np.ones(len(target), np.bool_), NAMES, target)
    for metric, sign in (("corr", 1), ("rmse", -1)):
        body, observer = fit(rows, stopping=stopping, rule=StoppingRule(metric, 5, 15, 200))
        best = max(observer.evaluations, key=lambda each: sign * each[metric])
        assert observer.best_rounds == best["rounds"]
        assert observer.evaluations[-1]["rounds"] in (200, best["rounds"] + 15)
        features = history.features(NAMES, stopping.mask)
        predictions = predict_with(load_model("lightgbm", body), features)
        rmse = np.sqrt(np.mean(np.square(predictions - target)))
        assert rmse == pytest.approx(best["rmse"], abs=1e-9)


def test_slices_are_whole_eras_and_hold_every_row_once(rows, monkeypatch):
    monkeypatch.setattr(interface, "_ROWS_BYTES", 5 * 120 * len(NAMES))
    parts = list(interface.era_slices(rows.history, rows.mask, len(NAMES)))
    assert [int(part.sum()) for part in parts] == [600] * 9 + [120]
    assert (np.sum(parts, axis=0) == 1).all()


def test_ranks_are_averaged_and_ranked_again():
    np.testing.assert_allclose(
        rank_in_unit_interval(np.array([3.0, 1.0, 3.0, 9.0])), [0.5, 0.125, 0.5, 0.875]
    )
    both = combine([np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])], None, 0.0)
    np.testing.assert_allclose(both, [1 / 6, 2 / 3, 2 / 3])


def test_neutralization_removes_the_correlation_with_the_benchmark():
    random = np.random.default_rng(1)
    benchmark = random.random(500)
    mixed = benchmark + 0.3 * random.random(500)
    before, half, none = (
        np.corrcoef(combine([mixed], benchmark, share), benchmark)[0, 1] for share in (0, 0.5, 1)
    )
    assert before > 0.9
    assert before > half > none
    assert abs(none) < 0.05
    gaps = np.where(np.arange(500) % 7, benchmark, np.nan)
    assert np.isfinite(combine([mixed], gaps, 1.0)).all()


@pytest.mark.parametrize("benchmark", [np.full(3, np.nan), None])
def test_nothing_is_neutralized_to_a_benchmark_without_values(benchmark):
    mixed = np.array([0.1, 0.5, 0.2])
    with pytest.raises(ValueError, match="found an era without"):
        combine([mixed], benchmark, 0.5)
    assert combine([mixed], benchmark, 0.0).tolist() == combine([mixed], None, 0.0).tolist()
