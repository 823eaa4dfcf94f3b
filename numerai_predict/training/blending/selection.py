"""Chooses a transform by payout: the simplest within one standard error of the best.

A transform other than none is chosen only if its improvement is shown: the interval of the paired
differences of the payouts lies above 0, corrected for the number of candidates (Bonferroni), as the
best of many looks good by chance. The one-standard-error rule is that of Breiman, Friedman, Olshen
and Stone, "Classification and Regression Trees" (1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.scoring.intervals import Interval
from numerai_predict.scoring.score_summary import error_of_mean, interval_of_mean
from numerai_predict.training.blending.candidate_scores import (
    EXCESS,
    PAYOUT,
    CandidateScores,
)

_ROUNDING = 1e-9  # of exposures


@dataclass(frozen=True)
class Improvement:
    """How much more a candidate earns in an era than no transform, over all eras with a payout.

    `interval` holds for all candidates at once, `error` is the standard error; both are `None`
    with too few eras. `mean` is `None` without any payout.
    """

    mean: float | None
    error: float | None
    interval: Interval | None

    @property
    def is_shown(self) -> bool:
        """Whether the interval lies above 0."""
        return self.interval is not None and self.interval.low > 0


@dataclass(frozen=True)
class CandidateChoice:
    """The positions of the chosen candidate and of the one with the best payout.

    `allowed` says which candidates keep their exposure within the limit in each era. `best` is
    `None` if there are none, or no payouts.
    """

    chosen: int
    best: int | None
    allowed: Sequence[bool]
    improvements: Sequence[Improvement]


@dataclass(frozen=True)
class NestedEstimate:
    """What choosing is worth: each window scored with the transform that the others choose.

    `choices` are positions of candidates by window; `improvement` is that of these choices over no
    transform, without a correction, as no window chose its own.
    """

    choices: dict[str, int]
    improvement: Improvement


def choose(scores: CandidateScores) -> CandidateChoice:
    """Choose among the candidates, of which the first is `no transform`."""
    payouts = scores.of(PAYOUT)
    known = np.isfinite(payouts[0])
    within = (~(scores.of(EXCESS) > _ROUNDING)).all(axis=1)
    has_payouts = np.isfinite(payouts[:, known]).all(axis=1)
    allowed = np.asarray(np.logical_and(within, has_payouts), np.bool_)
    others = max(1, len(scores.candidates) - 1)
    improvements = [
        _improvement(difference, scores.eras, scores.overlap, others)
        for difference in payouts - payouts[0]
    ]
    best = _best(improvements, allowed)
    chosen = 0 if best is None else _simplest(improvements, allowed, best)
    return CandidateChoice(chosen, best, allowed.tolist(), improvements)


def _best(improvements: Sequence[Improvement], allowed: NDArray[np.bool_]) -> int | None:
    means = [
        each.mean if keep and each.mean is not None else -np.inf
        for each, keep in zip(improvements, allowed, strict=True)
    ]
    return int(np.argmax(means)) if max(means) > -np.inf else None


def _simplest(improvements: Sequence[Improvement], allowed: NDArray[np.bool_], best: int) -> int:
    """The simplest allowed candidate near the best one, whose improvement is shown.

    None is shown: no transform if it is allowed, else the simplest near the best.
    """
    top = improvements[best]
    least = (top.mean or 0.0) - (top.error or 0.0)
    near = [
        number
        for number, each in enumerate(improvements)
        if allowed[number] and each.mean is not None and each.mean >= least
    ]
    shown = [number for number in near if improvements[number].is_shown]
    if allowed[0]:
        return min(shown, default=0)
    return min(shown or near)


def nested_estimate(scores: CandidateScores) -> NestedEstimate | None:
    """Choose for each window on the other windows; `None` with a single window.

    Eras whose targets share time with those of the window are left out of its choice.
    """
    windows = np.array(scores.windows)
    numbers = np.array([int(era) for era in scores.eras])
    names = list(dict.fromkeys(scores.windows))
    if len(names) < 2:
        return None
    differences = scores.of(PAYOUT) - scores.of(PAYOUT)[0]
    result, choices = np.full(len(numbers), np.nan), {}
    for name in names:
        own = windows == name
        distances = np.abs(numbers[:, None] - numbers[own]).min(axis=1)
        choices[name] = choose(scores.within(distances >= scores.overlap)).chosen
        result[own] = differences[choices[name], own]
    return NestedEstimate(choices, _improvement(result, scores.eras, scores.overlap, 1))


def _improvement(
    differences: NDArray[np.float64], eras: Sequence[str], overlap: int, at_once: int
) -> Improvement:
    series = pd.Series(differences, list(eras)).dropna()
    if series.empty:
        return Improvement(None, None, None)
    return Improvement(
        float(series.mean()),
        error_of_mean(series, overlap),
        interval_of_mean(series, overlap, at_once=at_once),
    )
