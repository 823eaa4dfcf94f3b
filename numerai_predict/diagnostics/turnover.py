"""How much a model changes its mind from one era to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Less in common, and what two eras share is no picture of them.
_SHARED = 0.5


class TurnoverKind(Enum):
    """What the turnover of an era is taken from: a title, and what it means in one line."""

    RANKS = (
        "Turnover of ranks",
        "1 - Spearman's correlation of an era's predictions with those of the era before, over "
        "the ids that both have (the field calls it churn): 0 for the same ranks, 1 for unrelated "
        "ones.",
    )
    EXPOSURES = (
        "Turnover of exposures",
        "Ids change with every era, so the ranks of one stock cannot be followed. In their place: "
        "1 - the correlation, over all features, of an era's exposures with those of the era "
        "before. 0 means that the model bets on the same features, 1 on unrelated ones; chance "
        "moves exposures as well, the more the fewer rows an era has.",
    )

    def __init__(self, title: str, meaning: str) -> None:
        self.title = title
        self.meaning = meaning


@dataclass
class Turnover:
    """Fed with eras in their order; both kinds are kept, and the one that fits is told.

    Source of the first: churn as the tournament's diagnostics of Signals have it.
    """

    _ranks: dict[str, float] = field(default_factory=dict)
    _exposures: dict[str, float] = field(default_factory=dict)
    _before: tuple[pd.Series[float], NDArray[np.float64]] | None = None

    def add(self, era: str, predictions: pd.Series[float], exposures: NDArray[np.float64]) -> None:
        """One more era: its predictions by id, its exposures to all features."""
        nan = float("nan")
        before = self._before
        self._ranks[era] = nan if before is None else _rank_turnover(before[0], predictions)
        self._exposures[era] = nan if before is None else _exposure_turnover(before[1], exposures)
        self._before = predictions, exposures

    @property
    def kind(self) -> TurnoverKind:
        """Ranks where most eras share ids with the one before, else exposures."""
        known = np.isfinite(list(self._ranks.values())[1:])
        return (
            TurnoverKind.RANKS if len(known) and known.mean() > _SHARED else TurnoverKind.EXPOSURES
        )

    @property
    def per_era(self) -> pd.Series[float]:
        """Of that kind, by era; NaN for the first, and where it cannot be told."""
        found = self._ranks if self.kind is TurnoverKind.RANKS else self._exposures
        return pd.Series(found, dtype=np.float64)


def _rank_turnover(before: pd.Series[float], now: pd.Series[float]) -> float:
    shared = now.index.intersection(before.index)
    if len(shared) < max(3, _SHARED * max(len(now), len(before))):
        return float("nan")
    ranks = pd.DataFrame({"before": before[shared], "now": now[shared]}).rank()
    return _one_minus_correlation(
        ranks["before"].to_numpy(np.float64), ranks["now"].to_numpy(np.float64)
    )


def _exposure_turnover(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    known = np.isfinite(before) & np.isfinite(now)
    return _one_minus_correlation(before[known], now[known])


def _one_minus_correlation(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    if len(now) < 3 or now.min() == now.max() or before.min() == before.max():
        return float("nan")
    return float(1 - np.corrcoef(before, now)[0, 1])
