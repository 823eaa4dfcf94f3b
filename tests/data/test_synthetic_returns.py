"""Synthetic targets overlap, and what a model can learn changes: as in the tournament's data."""

import functools

import numpy as np
import pytest

from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.data.synthetic import TARGETS, _draw_era, draw_round, draw_target
from numerai_predict.data.synthetic_returns import Market, lasting_premium, returns
from numerai_predict.scoring.intervals import mean_interval

pytestmark = pytest.mark.unit

ERAS, ROWS, INFORMATIVE, SEEDS = 260, 400, 12, (0, 1, 2)
OVERLAPS = {"target": 4, "target_ender_60": 12}


@functools.cache
def eras_of(seed, signal):
    """The informative features and the targets of each era, both centred."""
    shape = SampleShape(features=42, signal=signal, seed=seed)
    frames = (_draw_era(shape, era, f"{era:04d}", "train", ROWS).frame for era in range(1, ERAS))
    names = shape.feature_names[:INFORMATIVE]
    return [
        (frame[names].to_numpy() - 2.0, {name: frame[name].to_numpy() - 0.5 for name in TARGETS})
        for frame in frames
    ]


def scores_of(seed, signal, target):
    """The correlation of one fixed predictor with the target, per era."""
    weights = lasting_premium(seed)
    eras = eras_of(seed, signal)
    return np.array([np.corrcoef(x @ weights, y[target])[0, 1] for x, y in eras])


def autocorrelation(scores, lag):
    centred = scores - scores.mean()
    return (centred[lag:] * centred[:-lag]).sum() / (centred**2).sum()


@pytest.mark.parametrize(("days", "overlap"), [(20, 4), (60, 12)])
def test_returns_of_eras_are_correlated_by_the_days_that_they_share(days, overlap):
    market, own = Market(seed=0, signal=0), np.zeros(INFORMATIVE)
    eras = [range(day, day + days) for day in range(0, 5 * 400, 5)]
    table = np.array([returns(market, np.eye(INFORMATIVE), own, each) for each in eras])
    for lag in range(1, overlap + 4):
        found = np.mean([autocorrelation(series, lag) for series in table.T])
        assert found == pytest.approx(max(0, 1 - lag / overlap), abs=0.1)


@pytest.mark.parametrize("target", OVERLAPS)
def test_scores_of_a_fixed_model_are_correlated_while_targets_overlap(target):
    overlap = OVERLAPS[target]
    found = [
        np.mean([autocorrelation(scores_of(seed, 0, target), lag) for seed in SEEDS])
        for lag in range(1, overlap + 4)
    ]
    assert found[0] > 0.3
    assert min(found[: overlap // 2]) > 0.1
    assert np.abs(found[overlap - 1 :]).max() < 0.15


def test_the_targets_of_20_and_60_days_share_their_first_days():
    _, targets = eras_of(0, 0)[0]
    assert 0.3 < np.corrcoef(targets["target"], targets["target_ender_60"])[0, 1] < 0.8


@pytest.mark.parametrize("target", OVERLAPS)
def test_an_interval_that_ignores_the_overlap_is_too_short(target):
    for seed in SEEDS:
        scores = scores_of(seed, 0, target)
        aware, naive = (mean_interval(scores, overlap) for overlap in (OVERLAPS[target], 1))
        standard_error = scores.std() / np.sqrt(len(scores))
        assert aware.high - aware.low > 1.2 * 2 * 1.96 * standard_error
        assert aware.low < 0 < aware.high
        assert naive.high - naive.low < aware.high - aware.low


def walk_forward(seed, target, purge, train_eras=24):
    """Mean CORR of least squares on the eras before each era, but for the purged ones."""
    eras = eras_of(seed, 0)
    squares = np.array([x.T @ x for x, _ in eras])
    products = np.array([x.T @ y[target] for x, y in eras])
    found = []
    for era in range(train_eras + max(OVERLAPS.values()), len(eras)):
        train = slice(era - purge - train_eras, era - purge)
        weights = np.linalg.solve(squares[train].sum(axis=0), products[train].sum(axis=0))
        features, targets = eras[era]
        found.append(np.corrcoef(features @ weights, targets[target])[0, 1])
    return np.mean(found)


@pytest.mark.parametrize("target", OVERLAPS)
def test_without_the_purge_noise_looks_like_skill(target):
    purge = OVERLAPS[target]
    flattered = np.mean([walk_forward(seed, target, 0) for seed in SEEDS])
    honest = np.mean([walk_forward(seed, target, purge) for seed in SEEDS])
    assert flattered > 0.015
    assert abs(honest) < flattered / 2


def test_the_strength_of_the_signal_changes_by_regimes():
    scores = scores_of(0, 0.4, "target")
    strengths = [scores[first : first + 26].mean() for first in range(25, ERAS - 27, 26)]
    assert min(strengths) > 0
    assert max(strengths) > 1.5 * min(strengths)


def test_the_direction_of_the_signal_changes_by_regimes():
    features = np.eye(INFORMATIVE)
    market = Market(seed=0, signal=0.999999)
    first, same, other = (
        returns(market, features, np.zeros(INFORMATIVE), range(day, day + 20))
        for day in (10, 90, 140)
    )
    assert np.corrcoef(first, same)[0, 1] > 0.99
    assert 0.2 < np.corrcoef(first, other)[0, 1] < 0.95


def test_neighbouring_rounds_share_the_days_of_their_targets():
    shape = SampleShape(live_rows=600, features=42, signal=0)
    weights = lasting_premium(shape.seed)
    scores = []
    for number in range(1000, 1240):
        frame = draw_round(shape, number).frame
        predictions = (frame[shape.feature_names[:INFORMATIVE]].to_numpy() - 2.0) @ weights
        scores.append(np.corrcoef(predictions, frame["target"])[0, 1])
    scores = np.array(scores)
    assert autocorrelation(scores, 1) > 0.5
    assert autocorrelation(scores, 1) > autocorrelation(scores, 8) > autocorrelation(scores, 20)


@pytest.mark.parametrize(("days", "target"), [(20, "target"), (60, "target_ender_60")])
def test_the_first_live_rounds_share_days_with_the_last_validation_eras(days, target):
    """As neighbouring eras do; a round after those days shares none."""
    agreement = {"near": [], "far": [], "apart": []}
    for seed in range(8):
        shape = SampleShape(live_rows=4000, features=42, signal=0, seed=seed)
        last = shape.train_eras + shape.validation_eras
        before = loadings(shape, target, _draw_era(shape, last, "0072", "validation", 4000))
        for name, era in (
            ("near", draw_round(shape, 1400, 1400)),
            ("far", draw_round(shape, 1400 + days, 1400)),
            ("apart", draw_round(shape, 1400)),
        ):
            agreement[name].append(np.corrcoef(before, loadings(shape, target, era))[0, 1])
    assert np.mean(agreement["near"]) > 0.5
    assert abs(np.mean(agreement["far"])) < 0.3
    assert abs(np.mean(agreement["apart"])) < 0.3


def loadings(shape, target, era):
    """The correlations of the informative features with the target of an era or a round."""
    features = era.frame[shape.feature_names[:INFORMATIVE]].to_numpy()
    return [np.corrcoef(column, era.frame[target])[0, 1] for column in features.T]


def test_rows_of_neighbouring_rounds_have_other_ids():
    shape = SampleShape(live_rows=100, features=42)
    first, second = (draw_round(shape, number) for number in (7, 8))
    assert not set(first.frame.index) & set(second.frame.index)
    for era in (first, second):
        assert list(era.meta_model.index) == list(era.frame.index)


def test_the_target_of_a_round_takes_shape_day_by_day():
    shape = SampleShape(live_rows=2000, features=42)
    final = draw_round(shape, 7).frame["target"]
    days = [draw_target(shape, 7, day) for day in (1, 10, 19, 20)]
    assert all(list(each.index) == list(final.index) for each in days)
    agreement = [np.corrcoef(each, final)[0, 1] for each in days]
    assert agreement == pytest.approx([0.2, 0.65, 0.9, 1.0], abs=0.1)
    assert (days[-1] == final).all()


def test_the_meta_model_is_like_the_benchmark_models_and_better_than_each():
    era = draw_round(SampleShape(live_rows=5000, features=42, signal=0.5), 7)
    meta_model = era.meta_model["numerai_meta_model"]
    for benchmark in era.benchmarks.to_numpy().T:
        assert 0.5 < np.corrcoef(benchmark, meta_model)[0, 1] < 0.9
        skill, better = (
            np.corrcoef(each, era.frame["target"])[0, 1] for each in (benchmark, meta_model)
        )
        assert better > skill > 0
