"""Summary statistics of scores over eras."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class ScoreSummary:
    """Summary statistics of one score over eras; `None` if undefined.

    `std` has ddof 0. `sharpe` is mean / std over eras, not annualized. `max_drawdown` is the
    largest distance of the cumulative sum from its highest value so far, at least 0; the sum
    starts at 0, so a loss in the first era counts. With one era `std` and `sharpe` are `None`;
    equal scores have no `sharpe`. `eras` is the number of eras with a score.
    """

    mean: float | None
    std: float | None
    sharpe: float | None
    max_drawdown: float | None
    eras: int


def summarize(scores: pd.Series[float]) -> ScoreSummary:
    """Summarize one score per era, in order of time; eras without a score (NaN) are skipped.

    Source: `numerai_tools.scoring.sharpe_ratio`.
    """
    known = scores.dropna()
    eras = len(known)
    if not eras:
        return ScoreSummary(None, None, None, None, 0)
    mean = float(known.mean())
    std = float(known.std(ddof=0)) if eras > 1 else None
    # Rounding of the mean may give equal scores a tiny standard deviation.
    varies = std is not None and std > abs(mean) * 1e-12
    sharpe = mean / std if std is not None and varies else None
    return ScoreSummary(mean, std, sharpe, float(drawdown(known).max()), eras)


def drawdown(scores: pd.Series[float]) -> pd.Series[float]:
    """The distance of the cumulative sum from its highest value so far, which starts at 0.

    One value per era, at least 0; an era without a score (NaN) counts as 0.
    """
    cumulative = scores.fillna(0.0).cumsum()
    return cumulative.cummax().clip(lower=0.0) - cumulative
