"""Two models on the same eras: paired differences of their scores, and what they support."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import pandas as pd

from numerai_predict.diagnostics.measured_model import MeasuredModel
from numerai_predict.diagnostics.measured_models import (
    PredictedEras,
    clean_eras,
    rank_correlation,
)
from numerai_predict.diagnostics.report import Subject
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.scoring.era_payouts import era_payouts
from numerai_predict.scoring.score_summary import ScoreSummary, summarize
from numerai_predict.scoring.target_overlap import TargetOverlap

PAYOUT, CORR = "payout", "corr"


class Judgement(Enum):
    """What the interval of a difference, first model less second, says of the first model."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "cannot tell"


@dataclass(frozen=True)
class ScoreDifference:
    """A score of two models over the same eras, and the first's less the second's in each era."""

    first: ScoreSummary
    second: ScoreSummary
    difference: ScoreSummary

    @property
    def judgement(self) -> Judgement:
        """Whether the first model is better, beyond chance."""
        interval = self.difference.mean_interval
        if interval is None or interval.low <= 0 <= interval.high:
            return Judgement.UNDECIDED
        return Judgement.BETTER if interval.low > 0 else Judgement.WORSE

    @property
    def eras_to_decide(self) -> int | None:
        """About how many more eras a decision needs, if the mean difference stays as it is.

        The interval shrinks with the square root of the eras. `None` where it is decided, or
        where nothing can be said.
        """
        interval, mean = self.difference.mean_interval, self.difference.mean
        if self.judgement is not Judgement.UNDECIDED or interval is None or not mean:
            return None
        share = (interval.high - interval.low) / 2 / abs(mean)
        return math.ceil(self.difference.eras * (share * share - 1))


@dataclass(frozen=True)
class ComparedModel:
    """One of the two models: its quantities over the compared eras.

    `max_exposure` and `turnover` are means over eras, `peak_bytes` is `None` if it is unknown,
    `seconds` is the time of the slowest era.
    """

    subject: Subject
    max_exposure: float
    turnover: float
    peak_bytes: int | None
    load_seconds: float
    seconds: float


@dataclass(frozen=True)
class ModelComparison:
    """Two models over the eras that neither was trained on.

    `eras` has the differences of each score, and of the payout, by era; `differences` summarizes
    them. `rank_correlation` is the mean over eras of Spearman's correlation of their predictions.
    `left_out` counts the eras that one of them was trained on, or that overlap with those.
    `unknown` says that the training eras of one are unknown. `overlap` is that of the targets.
    """

    first: ComparedModel
    second: ComparedModel
    eras: pd.DataFrame
    differences: Mapping[str, ScoreDifference]
    rank_correlation: float
    left_out: int
    unknown: bool
    overlap: TargetOverlap

    @property
    def decisive(self) -> str:
        """The score that decides: the payout, or CORR without a meta model."""
        return PAYOUT if PAYOUT in self.differences else CORR


def compare_models(first: PredictedEras, second: PredictedEras) -> ModelComparison:
    """Compare two measured models."""
    models = [first.model, second.model]
    clean = clean_eras(models)
    scores = [with_payout(model.metrics.scores.loc[clean]) for model in models]
    names = [name for name in scores[0] if scores[0][name].notna().any()]
    overlap = first.model.overlap
    eras = pd.DataFrame({name: scores[0][name] - scores[1][name] for name in names})
    return ModelComparison(
        first=_compared(first.model, clean),
        second=_compared(second.model, clean),
        eras=eras,
        differences={
            str(name): _difference(scores[0][name], scores[1][name], overlap.eras) for name in names
        },
        rank_correlation=rank_correlation(first, second, clean),
        left_out=len(first.model.kinds) - len(clean),
        unknown=any(EraKind.UNKNOWN in model.kinds for model in models),
        overlap=overlap,
    )


def with_payout(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores by era, with the payout in a column of its own where MMC is known."""
    if "mmc" not in scores:
        return scores
    return scores.assign(**{PAYOUT: era_payouts(scores[CORR], scores["mmc"])})


def cumulative(differences: pd.Series[float]) -> pd.Series[float]:
    """The sum of the differences up to each era; an era without one adds nothing."""
    return differences.fillna(0).cumsum()


def _difference(first: pd.Series[float], second: pd.Series[float], overlap: int) -> ScoreDifference:
    """The summaries over the eras that have both scores."""
    both = first.notna() & second.notna()
    return ScoreDifference(
        summarize(first[both], overlap),
        summarize(second[both], overlap),
        summarize(first[both] - second[both], overlap),
    )


def _compared(model: MeasuredModel, eras: list[str]) -> ComparedModel:
    largest = model.metrics.exposures.loc[eras].abs().max(axis=1)
    return ComparedModel(
        model.subject,
        float(largest.mean()),
        float(model.metrics.turnover.per_era.reindex(eras).mean()),
        model.usage.peak_bytes or None,
        model.usage.load_seconds,
        model.usage.slowest_seconds,
    )
