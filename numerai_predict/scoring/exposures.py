"""Exposures: the correlations of ranked predictions with features.

The tournament ranks predictions before it scores them, so one outlier hides a bet from Pearson's
correlation of the values and not from that of the ranks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numerai_tools.scoring import max_feature_correlation
from numpy.typing import NDArray
from scipy.special import ndtri

# The highest exposure that the gates of a submission allow by default. A copy of
# `GateLimits.max_abs_exposure`, which is read without pandas; a test compares them.
GATE_EXPOSURE = 0.30
_CHANCE = 0.01
# Features that show the overlap of a target: more add little.
OVERLAP_FEATURES = 64
_BLOCK_FEATURES = 256  # features that are converted from int8 to float64 at once


@dataclass(frozen=True)
class Exposure:
    """A feature and its absolute correlation with the ranked predictions.

    `of_values` is that with the predictions as they are, which an outlier changes.
    """

    feature: str
    correlation: float
    of_values: float


def exposures(predictions: pd.Series[float], features: NDArray[np.int8]) -> NDArray[np.float64]:
    """The Pearson correlation of the ranked predictions with each feature, shape (features,).

    `features` is int8 with shape (rows, features), its rows in the order of the predictions.
    Equal predictions have equal ranks. NaN for a constant feature; all NaN if the predictions are
    constant.
    """
    rows, count = features.shape
    values = predictions.rank().to_numpy(np.float64)
    centered = values - values.mean() if rows else values
    result = np.full(count, np.nan)
    norm = np.sqrt(np.square(centered).sum())
    if not rows or values.min() == values.max():
        return result
    for start in range(0, count, _BLOCK_FEATURES):
        block = features[:, start : start + _BLOCK_FEATURES].astype(np.float64)
        block -= block.mean(axis=0)
        norms = np.sqrt(np.square(block).sum(axis=0))
        varied = norms > 0
        products = np.matmul(centered, block)[varied]
        result[start : start + _BLOCK_FEATURES][varied] = products / (norms[varied] * norm)
    return result


def target_loadings(target: NDArray[np.float64], features: NDArray[np.int8]) -> NDArray[np.float64]:
    """The correlations of an era's targets with its first features, for `estimate_overlap`.

    `target` has shape (rows,), NaN where unknown; `features` is int8 with shape (rows, features).
    """
    known = ~np.isnan(target)
    return exposures(pd.Series(target[known]), features[known, :OVERLAP_FEATURES])


def largest_exposure(
    predictions: pd.Series[float], features: NDArray[np.int8], names: Sequence[str]
) -> Exposure | None:
    """The largest absolute Pearson correlation of the ranked predictions with a feature.

    `features` is int8 with shape (rows, features), its rows in the order of the predictions,
    `names` has the name of each. `None` if all features or the predictions are constant.

    Source: `numerai_tools.scoring.max_feature_correlation`.
    """
    largest: Exposure | None = None
    if predictions.nunique() < 2:
        return None
    # numerai-tools requires sorted indexes: a range index is sorted.
    numbered = predictions.reset_index(drop=True)
    ranks = numbered.rank()
    for start in range(0, len(names), _BLOCK_FEATURES):
        block = features[:, start : start + _BLOCK_FEATURES]
        varied = block.min(axis=0) < block.max(axis=0)
        if not varied.any():
            continue
        columns = [name for name, keep in zip(names[start:], varied, strict=False) if keep]
        frame = pd.DataFrame(block[:, varied], numbered.index, columns)
        feature, correlation = max_feature_correlation(ranks, frame)
        if largest is None or correlation > largest.correlation:
            of_values = abs(float(numbered.corr(frame[feature])))
            largest = Exposure(feature, float(correlation), of_values)
    return largest


def exposure_by_chance(rows: int, features: int) -> float:
    """The largest exposure that 99 of 100 predictions of pure noise stay below.

    Each correlation of noise is normal with standard deviation 1 / sqrt(rows - 1), and the features
    count as independent (Bonferroni), which makes the result too large rather than too small.
    """
    if rows < 2 or not features:
        return 1.0
    return min(1.0, -float(ndtri(_CHANCE / (2 * features))) / math.sqrt(rows - 1))
