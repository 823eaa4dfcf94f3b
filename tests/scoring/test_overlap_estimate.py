"""The overlap of targets is estimated from how their correlations with features move."""

import numpy as np
import pytest

from numerai_predict.scoring.overlap_estimate import (
    MIN_ERAS,
    OverlapEstimate,
    OverlapFinding,
    estimate_overlap,
)

pytestmark = pytest.mark.unit

ERAS, FEATURES = 400, 24


def loadings(overlap, seed, noise=0.7, market=0.0, eras=ERAS):
    """Sums of as many weekly shocks, noise of each era, and a market that changes slowly."""
    random = np.random.default_rng(seed)
    shocks = random.standard_normal((eras + overlap, FEATURES))
    sums = np.sum([shocks[first : first + eras] for first in range(overlap)], axis=0)
    state, states = random.standard_normal(FEATURES), []
    for _ in range(eras):
        state = 0.97 * state + np.sqrt(1 - 0.97**2) * random.standard_normal(FEATURES)
        states.append(state)
    own = noise * random.standard_normal((eras, FEATURES))
    return sums / np.sqrt(overlap) + own + market * np.array(states)


NONE = OverlapEstimate(OverlapFinding.NONE_SHOWN)
TOO_FEW = OverlapEstimate(OverlapFinding.TOO_FEW_ERAS)


@pytest.mark.parametrize("market", [0.0, 1.0])
@pytest.mark.parametrize("overlap", [4, 12])
def test_the_overlap_is_found_whatever_the_market_does(overlap, market):
    for seed in range(10):
        found = estimate_overlap(range(1, ERAS + 1), loadings(overlap, seed, market=market))
        assert found.finding is OverlapFinding.FOUND
        assert found.least <= overlap <= found.most
        assert found.most - found.least <= 1


@pytest.mark.parametrize("overlap", [4, 12])
def test_a_year_and_a_half_is_enough_where_targets_follow_the_features(overlap):
    found = [estimate_overlap(range(72), loadings(overlap, seed, eras=72)) for seed in range(20)]
    assert sum(each.finding is OverlapFinding.FOUND for each in found) >= 16
    assert all(each.least <= overlap for each in found)


@pytest.mark.parametrize("eras", [72, 300])
@pytest.mark.parametrize(("noise", "market"), [(0.7, 0.0), (0.7, 1.0), (0.7, 3.0)])
def test_independent_targets_show_no_overlap_whatever_the_market_does(eras, noise, market):
    for seed in range(20):
        table = loadings(1, seed, noise, market, eras)
        assert estimate_overlap(range(eras), table) == NONE


def test_nothing_but_noise_shows_no_overlap():
    for seed in range(20):
        noise = np.random.default_rng(seed).standard_normal((ERAS, FEATURES))
        assert estimate_overlap(range(ERAS), noise) == NONE


def test_features_that_resemble_each_other_do_not_count_as_many():
    for seed in range(20):
        few = np.random.default_rng(seed).standard_normal((100, 2))
        assert estimate_overlap(range(100), np.tile(few, 32)) == NONE


@pytest.mark.parametrize(
    "eras", [range(0), range(1), range(MIN_ERAS - 1), [*range(40), *range(50, 90)]]
)
def test_few_or_interrupted_eras_cannot_tell(eras):
    assert estimate_overlap(eras, loadings(4, 1)[: len(eras)]) == TOO_FEW


def test_every_fourth_era_shows_an_overlap_that_is_longer():
    table = loadings(12, 1)[::4]
    found = estimate_overlap(range(0, ERAS, 4), table)
    assert (found.finding, found.least, found.most) == (OverlapFinding.FOUND, 12, 12)
    assert estimate_overlap(range(0, ERAS, 4), loadings(4, 1)[::4]) == NONE


def test_undefined_and_equal_correlations_are_left_out():
    table = loadings(4, 1)
    table[7, :3] = np.nan
    table[:, 5] = 0.0
    assert estimate_overlap(range(ERAS), table).most == 4
    table[:, :] = 0.0
    assert estimate_overlap(range(ERAS), table) == TOO_FEW
    table[:, :] = np.nan
    assert estimate_overlap(range(ERAS), table) == TOO_FEW


def test_each_finding_says_something_else():
    sentences = {str(each) for each in (NONE, TOO_FEW, OverlapEstimate(OverlapFinding.FOUND, 4, 5))}
    assert len(sentences) == 3
    assert any("does not exclude one" in sentence for sentence in sentences)
    assert any("4 to 5 neighbouring eras" in sentence for sentence in sentences)
