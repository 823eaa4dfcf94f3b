"""The band of a cumulative score has 95 of 100 models of the same scores on other eras."""

import numpy as np
import pytest

from numerai_predict.scoring.bands import cumulative_band
from numerai_predict.scoring.intervals import mean_interval

SERIES = 400


def overlapping(random, eras, overlap):
    noise = random.normal(size=(2, SERIES, eras + overlap - 1))
    sums = np.sum([noise[..., first : first + eras] for first in range(overlap)], axis=0)
    return sums / np.sqrt(overlap)


@pytest.mark.parametrize(("eras", "overlap"), [(52, 1), (52, 4), (52, 12), (150, 4), (150, 12)])
def test_nineteen_of_twenty_models_are_inside_on_other_eras(eras, overlap):
    these, others = overlapping(np.random.default_rng(1), eras, overlap)
    inside = {"last": [], "half": []}
    for own, other in zip(these, others.cumsum(axis=1), strict=True):
        low, high = cumulative_band(own, overlap)
        for name, era in (("last", eras - 1), ("half", eras // 2)):
            inside[name].append(low[era] <= other[era] <= high[era])
    assert 0.92 <= np.mean(inside["last"]) <= 0.98
    assert 0.92 <= np.mean(inside["half"]) <= 0.99


def test_it_follows_the_mean_and_is_wider_than_the_interval_of_the_mean():
    scores = overlapping(np.random.default_rng(2), 100, 1)[0, 0] + 0.1
    low, high = cumulative_band(scores, 1)
    assert (low + high) / 2 == pytest.approx(scores.mean() * np.arange(1, 101))
    interval = mean_interval(scores, 1)
    assert high[-1] - low[-1] == pytest.approx(100 * np.sqrt(2) * (interval.high - interval.low))


def test_eras_without_a_score_are_gaps():
    scores = np.ones(40)
    scores[3] = np.nan
    low, high = cumulative_band(scores, 1)
    assert np.isnan(low[3])
    assert np.isnan(high[3])
    assert (low[-1], high[-1]) == pytest.approx((39, 39))


@pytest.mark.parametrize(("eras", "overlap"), [(0, 1), (3, 1), (15, 4)])
def test_too_few_effective_eras_have_no_band(eras, overlap):
    assert cumulative_band(np.zeros(eras), overlap) is None
