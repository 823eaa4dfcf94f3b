"""Intervals are as wide as the overlap of the targets requires."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from numerai_predict.scoring.intervals import (
    best_of_mean_interval,
    best_of_sharpe_interval,
    deflated_mean,
    deflated_sharpe,
    mean_interval,
    sharpe_interval,
)
from numerai_predict.scoring.score_summary import summarize, summarize_best_of
from numerai_predict.scoring.target_overlap import (
    overlap_of_days,
    overlapping_scores,
    target_days,
)

MEAN, SERIES = 0.5, 400


def overlapping(eras, overlap, seed=5):
    """Series of moving sums with mean 0.5 and standard deviation 1, shape (series, eras)."""
    shocks = np.random.default_rng(seed).standard_normal((SERIES, eras + overlap - 1))
    sums = np.sum([shocks[:, first : first + eras] for first in range(overlap)], axis=0)
    return MEAN + sums / np.sqrt(overlap)


def coverage(interval, eras, overlap):
    found = [interval(series, overlap) for series in overlapping(eras, overlap)]
    return np.mean([low <= MEAN <= high for low, high in found])


@pytest.mark.parametrize("interval", [mean_interval, sharpe_interval])
@pytest.mark.parametrize(("eras", "overlap"), [(52, 1), (52, 4), (52, 12), (150, 4), (150, 12)])
def test_nineteen_of_twenty_intervals_hold_the_true_value(interval, eras, overlap):
    assert 0.92 <= coverage(interval, eras, overlap) <= 0.98


def test_an_interval_that_ignores_the_overlap_is_far_too_narrow():
    narrow = [mean_interval(series, 1) for series in overlapping(52, 12)]
    assert np.mean([low <= MEAN <= high for low, high in narrow]) < 0.6


def test_independent_scores_have_nearly_the_interval_of_student():
    scores = np.random.default_rng(2).standard_normal(5000)
    expected = stats.t.interval(0.95, 4999, scores.mean(), stats.sem(scores))
    assert mean_interval(scores, 1) == pytest.approx(expected, rel=0.1, abs=0.003)


@pytest.mark.parametrize("overlap", [1, 4])
def test_the_intervals_scale_with_the_scores(overlap):
    scores = overlapping(52, 4)[0]
    assert mean_interval(scores * 3, overlap) == pytest.approx(
        tuple(3 * end for end in mean_interval(scores, overlap))
    )
    assert sharpe_interval(scores * 3, overlap) == pytest.approx(sharpe_interval(scores, overlap))


@pytest.mark.parametrize(("eras", "overlap"), [(0, 1), (1, 1), (3, 1), (15, 4), (47, 12)])
def test_fewer_than_four_effective_eras_have_no_interval(eras, overlap):
    scores = np.arange(eras, dtype=float)
    assert mean_interval(scores, overlap) is None
    assert sharpe_interval(scores, overlap) is None


def test_equal_scores_have_an_interval_of_the_mean_and_none_of_the_sharpe():
    assert mean_interval(np.full(9, 0.25), 1) == pytest.approx((0.25, 0.25))
    assert sharpe_interval(np.full(9, 0.25), 1) is None


@pytest.mark.parametrize(
    ("target", "days"),
    [("target", 20), ("target_ender_20", 20), ("target_x_60", 60), ("target_mine", None)],
)
def test_the_name_of_a_target_has_its_days(target, days):
    assert target_days(target) == days


def test_days_are_eras_of_five_days_rounded_up():
    assert [overlap_of_days(days) for days in (1, 5, 6, 20, 60)] == [1, 1, 2, 4, 12]


@pytest.mark.parametrize(
    ("eras", "overlapping"),
    [
        (["0001", "0002", "0003", "0004", "0005"], 4),
        (["0001", "0005", "0009"], 1),
        (["0001", "0003", "0005", "0007"], 2),
        (["0001", "0002", "0100", "0101", "0102"], 3),
        (["1", "X"], 2),
        ([], 1),
    ],
)
def test_scores_overlap_where_their_eras_are_near(eras, overlapping):
    assert overlapping_scores(eras, 4) == overlapping


LOOKS = 8


def best_of_noise(eras, overlap):
    """The best of each eight series of noise, shape (50, eras)."""
    noise = (overlapping(eras, overlap) - MEAN).reshape(-1, LOOKS, eras)
    return [group[group.mean(axis=1).argmax()] for group in noise]


def test_the_best_of_eight_models_of_noise_seldom_looks_skilled():
    eras = [f"{era:04d}" for era in range(1, 53)]
    best = [pd.Series(series, eras) for series in best_of_noise(52, 4)]
    assert np.mean([summarize(series, 4).mean_interval.low > 0 for series in best]) > 0.08
    left = [summarize_best_of(series, 4, LOOKS) for series in best]
    assert np.mean([each.mean_interval.low > 0 for each in left]) < 0.05
    assert np.mean([each.sharpe_interval.low > 0 for each in left]) < 0.05


@pytest.mark.parametrize("interval", [best_of_mean_interval, best_of_sharpe_interval])
@pytest.mark.parametrize("alike", [False, True])
def test_the_interval_of_the_best_holds_the_truth_however_alike_the_models_are(interval, alike):
    """All eight have the same mean, so it is the best one's too."""
    series = overlapping(52, 4)
    found = []
    for first in range(0, SERIES, LOOKS):
        group = series[[first] * LOOKS] if alike else series[first : first + LOOKS]
        found.append(interval(group[group.mean(axis=1).argmax()], 4, LOOKS))
    assert np.mean([low <= MEAN <= high for low, high in found]) >= 0.9
    assert interval(series[0], 4, 1) in (mean_interval(series[0], 4), sharpe_interval(series[0], 4))


@pytest.mark.parametrize("deflated", [deflated_mean, deflated_sharpe])
def test_less_what_luck_reaches_the_best_of_eight_models_of_noise_is_about_zero(deflated):
    left = [deflated(series, 4, LOOKS) for series in best_of_noise(150, 4)]
    assert abs(np.mean(left)) < 0.1
    assert np.mean([deflated(series, 4, 1) for series in best_of_noise(150, 4)]) > 0.15


def test_a_first_look_takes_nothing_away():
    series = overlapping(52, 4)[0]
    assert deflated_mean(series, 4, 1) == series.mean()
    assert deflated_sharpe(series, 4, 1) == series.mean() / series.std()


def test_the_more_models_were_shown_the_less_is_left():
    series = overlapping(52, 4)[0]
    left = [deflated_mean(series, 4, looks) for looks in (1, 2, 8, 100)]
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == 4


def test_an_interval_for_several_series_at_once_is_wider():
    series = overlapping(52, 4)[0]
    lows = [mean_interval(series, 4, at_once).low for at_once in (1, 2, 8, 100)]
    assert lows == sorted(lows, reverse=True)
    assert len(set(lows)) == 4


def test_too_few_eras_leave_nothing_to_deflate():
    assert deflated_mean(overlapping(11, 4)[0], 4, 8) is None
    assert deflated_sharpe(overlapping(11, 4)[0], 4, 8) is None
