"""Summary statistics of scores, and of other quantities, over eras."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.contract.counting import counted
from numerai_predict.scoring.intervals import (
    CONFIDENCE,
    Interval,
    best_of_mean_interval,
    best_of_sharpe_interval,
    deflated_mean,
    deflated_sharpe,
    effective_eras,
    mean_interval,
    sharpe_interval,
    standard_error,
    varies,
)
from numerai_predict.scoring.target_overlap import overlapping_scores


@dataclass(frozen=True)
class ScoreSummary:
    """Summary statistics of one score over eras; `None` if undefined.

    `std` has ddof 0. `sharpe` is mean / std over eras, not annualized. `max_drawdown` is the
    largest distance of the cumulative sum from its highest value so far, at least 0; the sum
    starts at 0, so a loss in the first era counts. With one era `std` and `sharpe` are `None`;
    equal scores have no `sharpe`. `eras` is the number of eras with a score, `effective_eras` the
    number of independent eras that they are worth, `undefined_eras` those without a score, such as
    eras of equal predictions. The intervals are those of 95 percent; `None` with fewer than 4
    effective eras.
    """

    mean: float | None
    std: float | None
    sharpe: float | None
    max_drawdown: float | None
    eras: int
    effective_eras: float = 0.0
    mean_interval: Interval | None = None
    sharpe_interval: Interval | None = None
    undefined_eras: int = 0

    @property
    def without_interval(self) -> str | None:
        """Why there is no interval, in a few words; `None` if there is one."""
        if self.mean_interval is not None:
            return None
        count = int(self.effective_eras)
        return f"no interval: {counted(count, 'effective era')}"

    @property
    def without_scores(self) -> str | None:
        """How many eras have no score, and why they may not; `None` if there is none."""
        if not self.undefined_eras:
            return None
        return (
            f"{counted(self.undefined_eras, 'more era')} without a score: no predictions to "
            "compare with in the files, or all predictions or all targets of the era are equal"
        )

    @property
    def is_too_short_to_judge(self) -> bool:
        """Whether there are scores, and too few independent ones for an interval."""
        return bool(self.eras) and self.mean_interval is None


@dataclass(frozen=True)
class QuantitySummary:
    """Summary statistics over eras of a quantity that is not a score, such as an exposure.

    `std` has ddof 0; it is `None` with one era. `eras` is the number of eras that have a value.
    """

    mean: float | None
    std: float | None
    largest: float | None
    eras: int


def summarize(scores: pd.Series[float], overlap: int) -> ScoreSummary:
    """Summarize one score per era, in order of time; eras without a score (NaN) are skipped.

    The index has the names of the eras. `overlap` is the number of neighbouring eras whose targets
    share time: 4 for a target of 20 days.

    Source: `numerai_tools.scoring.sharpe_ratio`.
    """
    known = scores.dropna()
    eras = len(known)
    if not eras:
        return ScoreSummary(None, None, None, None, 0, undefined_eras=len(scores))
    mean = float(known.mean())
    std = float(known.std(ddof=0)) if eras > 1 else None
    values, shared = _values(known, overlap)
    sharpe = mean / std if std is not None and varies(values) else None
    return ScoreSummary(
        mean,
        std,
        sharpe,
        float(drawdown(known).max()),
        eras,
        effective_eras(eras, shared),
        mean_interval(values, shared),
        sharpe_interval(values, shared),
        len(scores) - eras,
    )


def interval_of_mean(
    scores: pd.Series[float], overlap: int, confidence: float = CONFIDENCE, at_once: int = 1
) -> Interval | None:
    """The interval of the mean with another confidence, or of many at once; see `summarize`.

    See `mean_interval` for `at_once`.
    """
    values, shared = _values(scores.dropna(), overlap)
    return mean_interval(values, shared, at_once, confidence)


def error_of_mean(scores: pd.Series[float], overlap: int) -> float | None:
    """The standard error of the mean, `None` where there is no interval; see `summarize`."""
    values, shared = _values(scores.dropna(), overlap)
    return standard_error(values, shared)


def summarize_best_of(scores: pd.Series[float], overlap: int, looks: int) -> ScoreSummary:
    """A score corrected for selection of the best of `looks` models.

    Mean and Sharpe ratio are lower by what the best of so many models without skill reaches;
    `None` where there is no interval. Their intervals are those of the best of so many. See
    `summarize` for the arguments.
    """
    alone = summarize(scores, overlap)
    values, shared = _values(scores.dropna(), overlap)
    mean = deflated_mean(values, shared, looks)
    sharpe = deflated_sharpe(values, shared, looks)
    return replace(
        alone,
        mean=mean,
        sharpe=sharpe,
        max_drawdown=None,
        mean_interval=best_of_mean_interval(values, shared, looks),
        sharpe_interval=best_of_sharpe_interval(values, shared, looks),
    )


def above_zero(scores: Mapping[str, pd.Series[float]], overlap: int, looks: int = 1) -> list[str]:
    """The scores of a model whose mean is above 0 beyond chance, in their order.

    Several scores have several chances, so the intervals hold for all together: Holm's procedure,
    in which a model without skill has a score above 0 in at most 2.5 percent. With `looks` the
    scores count as those of the best of so many models. See `summarize` for the arguments.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (1979).
    """
    left = list(scores)
    while left:
        above = [name for name in left if _low(scores[name], overlap, looks, len(left)) > 0]
        if not above:
            break
        left = [name for name in left if name not in above]
    return [name for name in scores if name not in left]


def _low(scores: pd.Series[float], overlap: int, looks: int, at_once: int) -> float:
    """The lower end of the interval of so many scores at once; minus infinity without one."""
    values, shared = _values(scores.dropna(), overlap)
    interval = mean_interval(values, shared, at_once * looks)
    return -math.inf if interval is None else interval.low


def beside_best_of(
    summaries: Mapping[str, ScoreSummary], best_of: Mapping[str, ScoreSummary], models: int
) -> dict[str, ScoreSummary]:
    """The summaries, each followed by its values corrected for selection.

    A score of too few eras has no such row: it cannot be corrected.
    """
    rows = {}
    for name, each in summaries.items():
        rows[name] = each
        if models > 1 and name in best_of and best_of[name].mean is not None:
            rows[f"  best of {models}: {name}"] = best_of[name]
    return rows


def _values(known: pd.Series[float], overlap: int) -> tuple[NDArray[np.float64], int]:
    """The known scores, shape (eras,), and how many neighbours of them share time."""
    shared = overlapping_scores([str(era) for era in known.index], overlap)
    return np.asarray(known, dtype=np.float64), shared


def summarize_quantity(values: pd.Series[float]) -> QuantitySummary:
    """Summarize one value per era; eras without a value (NaN) are skipped."""
    known = values.dropna()
    if known.empty:
        return QuantitySummary(None, None, None, 0)
    std = float(known.std(ddof=0)) if len(known) > 1 else None
    return QuantitySummary(float(known.mean()), std, float(known.max()), len(known))


def drawdown(scores: pd.Series[float]) -> pd.Series[float]:
    """The distance of the cumulative sum from its highest value so far, which starts at 0.

    One value per era, at least 0; an era without a score (NaN) counts as 0.
    """
    cumulative = scores.fillna(0.0).cumsum()
    return cumulative.cummax().clip(lower=0.0) - cumulative
