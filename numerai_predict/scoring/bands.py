"""Bands around a cumulative score: where a model of the same scores would be on other eras.

The sum of t other eras differs from t times the mean of these for two reasons: chance of the other
eras, with variance t times the long-run variance, and chance of the mean, with t squared times that
of the mean. The band is as wide as both together, with the standard error and the degrees of
freedom of `intervals`. Sums of fewer eras than overlap spread less than it says. `make simulations`
measures how many models are inside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numerai_predict.scoring.intervals import mean_interval


def cumulative_sum(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the known scores up to each, of shape (eras,); NaN where the score is NaN."""
    return np.asarray(np.where(np.isfinite(scores), np.nancumsum(scores), np.nan), np.float64)


def cumulative_band(
    scores: NDArray[np.float64], overlap: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The lower and the upper edge of the band, both of shape (eras,), NaN where the score is NaN.

    `scores` are in order of time; `overlap` is the number of neighbouring scores whose targets
    share time. `None` if there are fewer than 4 effective eras.
    """
    known = np.isfinite(scores)
    values = scores[known]
    interval = mean_interval(values, overlap) if len(values) else None
    if interval is None:
        return None
    eras = np.arange(1, len(values) + 1)
    half = (interval.high - interval.low) / 2 * np.sqrt(len(values) * eras + np.square(eras))
    edges = np.full((2, len(scores)), np.nan)
    edges[:, known] = values.mean() * eras + np.array([[-1], [1]]) * half
    return edges[0], edges[1]
