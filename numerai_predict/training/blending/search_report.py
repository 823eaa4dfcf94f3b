"""What a search found: the chosen transform, all candidates, and what the data support."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerai_predict.contract.counting import counted
from numerai_predict.scoring.intervals import Interval
from numerai_predict.training.blending.candidate_scores import (
    EXPOSURE,
    PAYOUT,
    CandidateScores,
)
from numerai_predict.training.blending.candidates import neighbours
from numerai_predict.training.blending.selection import (
    CandidateChoice,
    Improvement,
    NestedEstimate,
    choose,
    nested_estimate,
)
from numerai_predict.training.blending.transform import BlendTransform


@dataclass(frozen=True)
class CandidateSummary:
    """A candidate's means over the eras that have a payout; `None` where there is no score.

    `exposure` is the mean over all eras of the largest to a feature, `largest_exposure` that of
    one era. `allowed` says whether it stays within the limit in each era.
    """

    transform: BlendTransform
    payout: float | None
    corr: float | None
    mmc: float | None
    bmc: float | None
    exposure: float | None
    largest_exposure: float | None
    allowed: bool
    improvement: Improvement


@dataclass(frozen=True)
class BlendSearch:
    """The result of a search.

    `chosen`, `best` and `near` (the neighbours of the chosen one) are positions in `candidates`;
    the first candidate is no transform. `eras` is the number of eras that have a payout.
    """

    candidates: Sequence[CandidateSummary]
    chosen: int
    best: int | None
    near: Sequence[int]
    eras: int
    nested: NestedEstimate | None

    @property
    def transform(self) -> BlendTransform:
        """The chosen transform."""
        return self.candidates[self.chosen].transform

    @property
    def shown(self) -> list[int]:
        """The positions to show: the chosen one, the best, none, and the neighbours."""
        best = [] if self.best is None else [self.best]
        return list(dict.fromkeys([self.chosen, *best, 0, *self.near]))

    def marks(self, number: int) -> list[str]:
        """What is to be said of a candidate: chosen, best, not allowed."""
        marks = {
            "chosen": number == self.chosen,
            "best": number == self.best,
            "not allowed": not self.candidates[number].allowed,
        }
        return [mark for mark, holds in marks.items() if holds]

    def sentences(self) -> list[str]:
        """What the data support, and how far the scores can be trusted."""
        found = [self._conclusion()]
        if self.nested is not None and any(self.nested.choices.values()):
            found.append(
                "estimate without that selection, each window with the transform that the other "
                f"windows choose: {_describe(self.nested.improvement)} than without a transform"
            )
        if self.chosen:
            found.append(
                "the scores of the windows are those of the chosen transform, which was selected "
                "on the same eras: expect less"
            )
        return found

    def _conclusion(self) -> str:
        chosen = self.candidates[self.chosen]
        others = counted(len(self.candidates) - 1, "candidate")
        if chosen.improvement.is_shown and self.chosen:
            return (
                f"an improvement is shown: {chosen.transform} earns "
                f"{_describe(chosen.improvement)} than no transform, corrected for {others}"
            )
        if self.best is None and not any(each.allowed for each in self.candidates):
            return (
                "no candidate keeps the exposure within the limit, so the predictions stay as they "
                "are: set max_exposure, which limits the exposure of all of them"
            )
        return f"{self._not_shown(others)}: {self._consequence()}"

    def _not_shown(self, others: str) -> str:
        if not self.eras:
            return "no improvement is shown, as no era has a payout"
        best = self.candidates[self.best or 0]
        if best.improvement.interval is None:
            return "no improvement is shown, as there are too few eras for an interval"
        if not self.best:
            return "no improvement is shown, as no candidate earns more than no transform"
        return (
            f"no improvement is shown: the best candidate ({best.transform}) earns "
            f"{_describe(best.improvement)} than no transform, corrected for {others}"
        )

    def _consequence(self) -> str:
        if not self.chosen:
            return "the predictions stay as they are"
        return (
            f"{self.transform} is used because without a transform the exposure "
            f"({_number(self.candidates[0].largest_exposure, 2)}) is above the limit"
        )

    def as_entry(self) -> dict[str, Any]:
        """The search in scores.json and in the manifest."""
        return {
            "candidates": [_candidate_entry(each) for each in self.candidates],
            "chosen": self.chosen,
            "best": self.best,
            "neighbours": list(self.near),
            "eras": self.eras,
            "selected_on_these_eras": True,
            "improvement_is_shown": self.candidates[self.chosen].improvement.is_shown,
            "nested": self.nested and asdict(self.nested),
            "conclusion": self.sentences(),
        }


def summarize_search(scores: CandidateScores) -> BlendSearch:
    """Choose among the scored candidates, and summarize them."""
    choice = choose(scores)
    known = np.isfinite(scores.of(PAYOUT)[0])
    candidates = [
        _summarize(scores, choice, known, number) for number in range(len(scores.candidates))
    ]
    return BlendSearch(
        candidates,
        choice.chosen,
        choice.best,
        neighbours(scores.candidates[choice.chosen], scores.candidates),
        int(known.sum()),
        nested_estimate(scores),
    )


def _summarize(
    scores: CandidateScores, choice: CandidateChoice, known: NDArray[np.bool_], number: int
) -> CandidateSummary:
    payout, corr, mmc, bmc = (
        _mean(scores.of(name)[number, known]) for name in (PAYOUT, "corr", "mmc", "bmc")
    )
    exposures = scores.of(EXPOSURE)[number]
    largest = float(np.nanmax(exposures)) if np.isfinite(exposures).any() else None
    return CandidateSummary(
        scores.candidates[number],
        payout,
        corr,
        mmc,
        bmc,
        _mean(exposures),
        largest,
        choice.allowed[number],
        choice.improvements[number],
    )


def _candidate_entry(candidate: CandidateSummary) -> dict[str, Any]:
    return {**asdict(candidate), "transform": candidate.transform.as_entry()}


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return math.fsum(known) / len(known) if len(known) else None


def _describe(improvement: Improvement) -> str:
    mean, interval = improvement.mean or 0.0, improvement.interval
    found = f"{abs(mean):.4f} per era {'more' if mean >= 0 else 'less'}"
    return f"{found} ({_interval(interval)})"


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return "too few eras for an interval"
    return f"95% interval {interval.low:.4f} to {interval.high:.4f}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
