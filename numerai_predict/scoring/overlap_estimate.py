"""Estimates from the data how many neighbouring eras share the time of a target.

What the names of targets say may be wrong, and an embargo that is too short lets a model know the
targets of the eras that score it. Where targets share time, so do their correlations with the
features: the covariance of those of two eras falls linearly with the distance of the eras, and is
0 from the overlap on. The estimate is the distance at which it stops to fall, the largest second
difference. Slow changes of the market have next to none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from numerai_predict.scoring.intervals import mean_interval

# The longest horizon of the tournament is 12 eras.
_DISTANCES = range(2, 14)
# Intervals as if so many distances were tried: a wrong finding stops a training.
_CAUTION = 100


def estimate_overlap(eras: Sequence[int], loadings: NDArray[np.float64]) -> int | None:
    """The number of neighbouring eras whose targets share time; 1 if none is found to.

    `eras` are era numbers, ascending. `loadings` are the correlations of the target with features,
    shape (eras, features), NaN where undefined. `None` if there are too few to tell.
    """
    known = loadings[:, np.isfinite(loadings).all(axis=0)]
    if not known.size:
        return None
    position = {era: number for number, era in enumerate(eras)}
    found: dict[int, float] = {}
    for distance in _DISTANCES:
        bends = _second_differences(position, known, distance)
        interval = mean_interval(bends, _DISTANCES[-1], at_once=_CAUTION)
        if interval is None:
            return None
        if interval.low > 0:
            found[distance] = float(bends.mean())
    return max(found, key=found.__getitem__, default=1)


def _second_differences(
    position: dict[int, int], loadings: NDArray[np.float64], distance: int
) -> NDArray[np.float64]:
    """The second difference of the products of eras at a distance, one for each pair of eras."""
    pairs = [
        (number, *(position[era + distance + each] for each in (-1, 0, 1)))
        for era, number in position.items()
        if all(era + distance + each in position for each in (-1, 0, 1))
    ]
    own, nearer, there, farther = np.array(pairs, dtype=np.intp).reshape(-1, 4).T
    bends = loadings[nearer] - 2 * loadings[there] + loadings[farther]
    return np.asarray((loadings[own] * bends).mean(axis=1), dtype=np.float64)
