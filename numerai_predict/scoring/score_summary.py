"""What scores of many eras come to."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class ScoreSummary:
    """Scores over eras in a few numbers; `None` where there is no such number.

    `std` is with ddof 0, `sharpe` is mean / std of an era, not of a year. `max_drawdown` is how far
    the cumulative sum fell from its highest point, at least 0; it starts at 0, so that a loss in
    the first era counts. One era has neither `std` nor `sharpe`; equal scores have no `sharpe`.
    """

    mean: float | None
    std: float | None
    sharpe: float | None
    max_drawdown: float | None
    eras: int


def summarize(scores: pd.Series[float]) -> ScoreSummary:
    """The summary of one score an era, in the order of eras; eras without one (NaN) are skipped.

    Source: `numerai_tools.scoring.sharpe_ratio`.
    """
    known = scores.dropna()
    eras = len(known)
    if not eras:
        return ScoreSummary(None, None, None, None, 0)
    mean = float(known.mean())
    std = float(known.std(ddof=0)) if eras > 1 else None
    # Equal scores may differ in their last bit once their mean is taken.
    varies = std is not None and std > abs(mean) * 1e-12
    sharpe = mean / std if std is not None and varies else None
    return ScoreSummary(mean, std, sharpe, float(drawdown(known).max()), eras)


def drawdown(scores: pd.Series[float]) -> pd.Series[float]:
    """How far the cumulative sum lies below its highest point so far, which is 0 at the start.

    One value an era, at least 0; an era without a score (NaN) changes nothing.
    """
    cumulative = scores.fillna(0.0).cumsum()
    return cumulative.cummax().clip(lower=0.0) - cumulative
