"""Bands around a cumulative score, from a block bootstrap.

Blocks of neighbouring eras are drawn at random and joined to new series of the same length, so that
the dependence of overlapping targets stays within a block. The band has 95 percent of the sums at
each era: where a model of the same scores could have been on other eras.

Source: Politis and Romano, "A Circular Block-Resampling Procedure for Stationary Data" (1992).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from numerai_predict.scoring.intervals import CONFIDENCE, MIN_EFFECTIVE_ERAS, effective_eras

_SAMPLES = 1_000
_SEED = 20_160_101  # the same scores have the same band


def cumulative_band(
    scores: NDArray[np.float64], overlap: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The lower and the upper edge of the band, both of shape (eras,), NaN where the score is NaN.

    `scores` are in order of time; `overlap` is the number of neighbouring scores whose targets
    share time. `None` if there are fewer than 4 effective eras.
    """
    known = np.isfinite(scores)
    values = scores[known]
    if effective_eras(len(values), overlap) < MIN_EFFECTIVE_ERAS:
        return None
    sums = _resampled(values, block_length(len(values), overlap)).cumsum(axis=1)
    tail = (1 - CONFIDENCE) / 2
    edges = np.full((2, len(scores)), np.nan)
    edges[:, known] = np.quantile(sums, (tail, 1 - tail), axis=0)
    return edges[0], edges[1]


def block_length(eras: int, overlap: int) -> int:
    """The eras of a block: at least two overlaps, and more for long series."""
    return min(eras, max(2 * overlap, round(math.pow(eras, 1 / 3))))


def _resampled(values: NDArray[np.float64], block: int) -> NDArray[np.float64]:
    """Series of joined blocks, shape (samples, eras); the last era is followed by the first."""
    eras = len(values)
    random = np.random.default_rng(_SEED)
    starts = random.integers(eras, size=(_SAMPLES, math.ceil(eras / block)))
    positions = (starts[:, :, None] + np.arange(block)).reshape(_SAMPLES, -1)[:, :eras]
    resampled: NDArray[np.float64] = values[positions % eras]
    return resampled
