"""The band of a cumulative score holds as often as it says, overlapping targets included."""

import numpy as np
import pytest

from numerai_predict.scoring.bootstrap import block_length, cumulative_band


def overlapping(random, eras, overlap):
    noise = random.normal(size=eras + overlap - 1)
    return np.convolve(noise, np.ones(overlap) / np.sqrt(overlap), "valid")


@pytest.mark.parametrize("overlap", [1, 4])
def test_the_band_is_about_as_wide_as_the_sums_of_such_series_spread(overlap):
    random = np.random.default_rng(1)
    sums = [overlapping(random, 200, overlap).sum() for _ in range(2000)]
    expected = np.subtract(*np.quantile(sums, (0.975, 0.025)))
    widths = []
    for _ in range(20):
        low, high = cumulative_band(overlapping(random, 200, overlap), overlap)
        widths.append(high[-1] - low[-1])
    assert np.mean(widths) == pytest.approx(expected, rel=0.25)


def test_it_contains_the_sum_and_is_the_same_each_time():
    scores = overlapping(np.random.default_rng(2), 100, 1) + 0.1
    low, high = cumulative_band(scores, 1)
    assert low[-1] < scores.sum() < high[-1]
    assert np.array_equal(low, cumulative_band(scores, 1)[0])


def test_eras_without_a_score_are_gaps():
    scores = np.ones(40)
    scores[3] = np.nan
    low, high = cumulative_band(scores, 1)
    assert np.isnan(low[3])
    assert np.isnan(high[3])
    assert low[-1] == high[-1] == 39


@pytest.mark.parametrize(("eras", "overlap"), [(0, 1), (3, 1), (15, 4)])
def test_too_few_effective_eras_have_no_band(eras, overlap):
    assert cumulative_band(np.zeros(eras), overlap) is None


def test_a_block_is_not_longer_than_the_series():
    assert block_length(5, 4) == 5
    assert block_length(200, 4) == 8
    assert block_length(1000, 1) == 10
