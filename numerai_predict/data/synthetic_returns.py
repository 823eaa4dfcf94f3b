"""The returns that the synthetic targets are made of.

The informative features have a return each trading day, the same for all rows. A target of 20 or
60 days is made of the returns of its days, so that the targets of two eras, or of two rounds,
share the days that both contain: the scores of a fixed model are correlated like a moving sum.

The return of a day is the sum of two parts:

- a premium, which a model can learn. It has a direction and a strength for each regime, which lasts
  26 weeks; the direction is partly the same in all regimes.
- a shock with mean 0, independent each day, which no model can know before.

Each day is generated separately, from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

INFORMATIVE_FEATURES = 12
DAYS_PER_ERA = 5

_REGIME_DAYS = 26 * DAYS_PER_ERA
_LASTING = 0.8  # correlation of a regime's direction with that of all regimes
# Variance of the shocks, as a share of what the premium leaves of a return.
_SHOCK_SHARE = 0.05
_WEAKEST, _STRONGEST = 0.5, 1.5  # of a regime's premium
# What random numbers are for; the third number of a seed is never 0, because NumPy takes
# [seed, number] and [seed, number, 0] for the same.
_PREMIUM, _SHOCK, _OWN = 1, 2, 3


@dataclass(frozen=True)
class Market:
    """What the returns depend on: `signal` is the correlation of premium and return."""

    seed: int
    signal: float


def lasting_premium(seed: int) -> NDArray[np.float64]:
    """The direction of the premium that all regimes have in common, of length 1."""
    return _direction(np.random.default_rng(seed))


def returns(
    market: Market, informative: NDArray[np.float64], own: NDArray[np.float64], days: range
) -> NDArray[np.float64]:
    """Each row's return over the days, with a variance of about 1.

    `informative` are the features, shape (rows, 12), each with mean 0 and variance 1; `own` is the
    part of each row alone, shape (rows,), with variance 1.
    """
    shared = np.sqrt(_SHOCK_SHARE) * _shock(market, days)
    rest = np.matmul(informative, shared) + np.sqrt(1 - _SHOCK_SHARE) * own
    expected = market.signal * np.matmul(informative, _premium(market, days))
    return np.asarray(expected + np.sqrt(1 - market.signal**2) * rest, dtype=np.float64)


def own_return(
    seed: int, number: int, total: NDArray[np.float64], days: int, total_days: int
) -> NDArray[np.float64]:
    """Each row's own part over the first `days` days, with variance 1, given that over all days.

    `number` is that of the era or the round. It is a Brownian bridge to the total.
    """
    random = np.random.default_rng([seed, number, _OWN])
    path = random.normal(size=(total_days, len(total))).cumsum(axis=0)
    missing = np.sqrt(total_days) * total - path[-1]
    return np.asarray((path[days - 1] + days / total_days * missing) / np.sqrt(days))


def _premium(market: Market, days: range) -> NDArray[np.float64]:
    """The mean premium of each feature over the days; about 1 in length."""
    regimes, counts = np.unique([day // _REGIME_DAYS for day in days], return_counts=True)
    premiums = [_regime_premium(market.seed, int(regime)) for regime in regimes]
    return np.asarray(np.average(premiums, axis=0, weights=counts), dtype=np.float64)


def _shock(market: Market, days: range) -> NDArray[np.float64]:
    """The shock of each feature over the days; 1 in expected squared length."""
    daily = [
        np.random.default_rng([market.seed, day, _SHOCK]).normal(size=INFORMATIVE_FEATURES)
        for day in days
    ]
    scale = np.sqrt(len(days) * INFORMATIVE_FEATURES)
    return np.asarray(np.sum(daily, axis=0) / scale, dtype=np.float64)


def _regime_premium(seed: int, regime: int) -> NDArray[np.float64]:
    random = np.random.default_rng([seed, regime, _PREMIUM])
    changing = _direction(random)
    strength = random.uniform(_WEAKEST, _STRONGEST)
    direction = _LASTING * lasting_premium(seed) + np.sqrt(1 - _LASTING**2) * changing
    return np.asarray(strength * direction / np.linalg.norm(direction), dtype=np.float64)


def _direction(random: np.random.Generator) -> NDArray[np.float64]:
    vector = random.normal(size=INFORMATIVE_FEATURES)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)
