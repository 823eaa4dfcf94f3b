"""How much a model's predictions change from one era to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import pandas as pd
from numerai_tools.signals import churn
from numpy.typing import NDArray

# Below this share of common ids the comparison of two eras is not representative.
_MIN_SHARED = 0.5
_MIN_VALUES = 3


class TurnoverKind(Enum):
    """What the turnover of an era compares: a title, and an explanation in one paragraph."""

    RANKS = (
        "Turnover of ranks",
        "1 - Spearman's correlation of an era's predictions with those of the era before, over "
        "the ids that both have (also called churn): 0 for the same ranks, 1 for unrelated ones.",
    )
    EXPOSURES = (
        "Turnover of exposures",
        "Ids change with every era, so the ranks of one stock cannot be compared. Instead: "
        "1 - the correlation, over all features, of an era's exposures with those of the era "
        "before. 0 means the same exposures, 1 unrelated ones. Sampling noise also changes "
        "exposures, the more the fewer rows an era has.",
    )

    def __init__(self, title: str, meaning: str) -> None:
        self.title = title
        self.meaning = meaning


@dataclass
class Turnover:
    """Turnover of ranks and of exposures; `add` takes the eras in order of time.

    Source of the turnover of ranks: `numerai_tools.signals.churn`.
    """

    _ranks: dict[str, float] = field(default_factory=dict)
    _exposures: dict[str, float] = field(default_factory=dict)
    _previous: tuple[pd.Series[float], NDArray[np.float64]] | None = None

    def add(self, era: str, predictions: pd.Series[float], exposures: NDArray[np.float64]) -> None:
        """Add an era: predictions by id, shape (rows,); exposures, shape (features,)."""
        nan, previous = float("nan"), self._previous
        self._ranks[era] = nan if previous is None else _rank_turnover(previous[0], predictions)
        self._exposures[era] = (
            nan if previous is None else _exposure_turnover(previous[1], exposures)
        )
        self._previous = predictions, exposures

    @property
    def kind(self) -> TurnoverKind:
        """Ranks if most eras share enough ids with the era before, else exposures."""
        known = np.isfinite(list(self._ranks.values())[1:])
        return (
            TurnoverKind.RANKS
            if len(known) and known.mean() > _MIN_SHARED
            else TurnoverKind.EXPOSURES
        )

    @property
    def per_era(self) -> pd.Series[float]:
        """The turnover of `kind` by era; NaN for the first era and where it is undefined."""
        turnover = self._ranks if self.kind is TurnoverKind.RANKS else self._exposures
        return pd.Series(turnover, dtype=np.float64)


def _rank_turnover(previous: pd.Series[float], current: pd.Series[float]) -> float:
    shared = current.index.intersection(previous.index)
    if len(shared) < max(_MIN_VALUES, _MIN_SHARED * max(len(current), len(previous))):
        return float("nan")
    # churn expects 80 % of the ids of each series in the other: restricted, both have all.
    previous, current = previous[shared], current[shared]
    if not (previous.std() > 0 and current.std() > 0):
        return float("nan")
    return float(churn(previous, current))


def _exposure_turnover(previous: NDArray[np.float64], current: NDArray[np.float64]) -> float:
    known = np.isfinite(previous) & np.isfinite(current)
    previous, current = previous[known], current[known]
    if len(current) < _MIN_VALUES or np.ptp(current) == 0 or np.ptp(previous) == 0:
        return float("nan")
    return float(1 - np.corrcoef(previous, current)[0, 1])
