"""How much predictions are those of one feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numerai_tools.scoring import max_feature_correlation
from numpy.typing import NDArray

_AT_ONCE = 256  # features: no more of them are wider than int8 at a time


@dataclass(frozen=True)
class Exposure:
    """The feature that the predictions follow most, and their absolute correlation."""

    feature: str
    correlation: float


def exposures(predictions: pd.Series[float], features: NDArray[np.int8]) -> NDArray[np.float64]:
    """The Pearson correlation of the predictions with each feature, shape (features,).

    `features` has shape (rows, features), its rows in the order of the predictions. NaN for a
    constant feature, and for all where the predictions are constant.
    """
    rows, count = features.shape
    values = predictions.to_numpy(np.float64)
    centred = values - values.mean() if rows else values
    found = np.full(count, np.nan)
    spread = np.sqrt(np.square(centred).sum())
    if not rows or values.min() == values.max():
        return found
    for start in range(0, count, _AT_ONCE):
        block = features[:, start : start + _AT_ONCE].astype(np.float64)
        block -= block.mean(axis=0)
        spreads = np.sqrt(np.square(block).sum(axis=0))
        varied = spreads > 0
        products = np.matmul(centred, block)[varied]
        found[start : start + _AT_ONCE][varied] = products / (spreads[varied] * spread)
    return found


def largest_exposure(
    predictions: pd.Series[float], features: NDArray[np.int8], names: Sequence[str]
) -> Exposure | None:
    """The largest absolute Pearson correlation of the predictions with a feature.

    `features` has shape (rows, features), its rows in the order of the predictions. A constant
    feature has no correlation; `None` where all are constant, or
    the predictions are.

    Source: `numerai_tools.scoring.max_feature_correlation`.
    """
    largest: Exposure | None = None
    if predictions.nunique() < 2:
        return None
    # numerai-tools wants both in the order of their index: rows by number are.
    numbered = predictions.reset_index(drop=True)
    for start in range(0, len(names), _AT_ONCE):
        block = features[:, start : start + _AT_ONCE]
        varied = block.min(axis=0) < block.max(axis=0)
        if not varied.any():
            continue
        columns = [name for name, keep in zip(names[start:], varied, strict=False) if keep]
        frame = pd.DataFrame(block[:, varied], numbered.index, columns)
        feature, correlation = max_feature_correlation(numbered, frame)
        if largest is None or correlation > largest.correlation:
            largest = Exposure(feature, float(correlation))
    return largest
