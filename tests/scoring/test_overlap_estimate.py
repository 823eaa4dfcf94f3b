"""The overlap of targets is estimated from how their correlations with features move."""

import numpy as np
import pytest

from numerai_predict.scoring.overlap_estimate import estimate_overlap

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


@pytest.mark.parametrize("market", [0.0, 1.0])
@pytest.mark.parametrize("overlap", [1, 4])
def test_the_overlap_is_found_whatever_the_market_does(overlap, market):
    for seed in range(10):
        found = estimate_overlap(range(1, ERAS + 1), loadings(overlap, seed, market=market))
        assert found == overlap


def test_a_long_overlap_is_found_or_nothing_but_no_wrong_one():
    found = [estimate_overlap(range(ERAS), loadings(12, seed, noise=0.3)) for seed in range(10)]
    assert set(found) <= {1, 12}
    assert found.count(12) > 5


def test_noise_shows_no_overlap():
    for seed in range(10):
        noise = np.random.default_rng(seed).standard_normal((ERAS, FEATURES))
        assert estimate_overlap(range(ERAS), noise) == 1


@pytest.mark.parametrize("eras", [range(0), range(1), range(60), range(0, 4 * ERAS, 4)])
def test_few_or_separate_eras_cannot_tell(eras):
    assert estimate_overlap(eras, loadings(4, 1)[: len(eras)]) is None


def test_undefined_correlations_are_left_out():
    table = loadings(4, 1)
    table[7, :3] = np.nan
    assert estimate_overlap(range(ERAS), table) == 4
    table[:, :] = np.nan
    assert estimate_overlap(range(ERAS), table) is None
