"""The numbers of a diagnosis, for the page and for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from numerai_predict.contract.counting import counted
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.diagnostics.turnover import TurnoverKind
from numerai_predict.pages.formats import format_name
from numerai_predict.scoring.score_summary import (
    QuantitySummary,
    ScoreSummary,
    above_zero,
)
from numerai_predict.scoring.target_overlap import TargetOverlap
from numerai_predict.storage.holdout_looks import describe_looks

JUDGED = ("corr", "mmc", "bmc")


@dataclass(frozen=True)
class Subject:
    """The diagnosed model and the data: names, hash, counts.

    `arguments` is the model's arity. `features` is the number of features. `benchmark` is the
    benchmark model of BMC, `neutral_to` the feature set of FNC; `None` without them.
    """

    model: str
    sha256: str
    pythons: list[str]
    arguments: int
    validation: str
    target: str
    features: int
    benchmark: str | None
    meta_model: str | None
    neutral_to: str | None


def distinct_names(subjects: Sequence[Subject]) -> list[str]:
    """The names of the models: with the start of the hash if several files have the same name.

    Models that are equal too are numbered.
    """
    names = [format_name(subject.model) for subject in subjects]
    marked = [
        f"{name} ({subject.sha256[:8]})" if names.count(name) > 1 else name
        for name, subject in zip(names, subjects, strict=True)
    ]
    return [
        f"{name}, {marked[:at].count(name) + 1}" if marked.count(name) > 1 else name
        for at, name in enumerate(marked)
    ]


@dataclass(frozen=True)
class FeatureSetExposure:
    """The absolute exposures to the features of a set.

    `mean` is over eras and features, `largest` that of one era to `feature`.
    """

    name: str
    features: int
    mean: float
    largest: float
    feature: str


@dataclass(frozen=True)
class NamedMean:
    """A quantity's name, mean over eras and standard deviation (ddof 0)."""

    name: str
    mean: float
    std: float


@dataclass(frozen=True)
class FeatureExposure:
    """The exposures to one feature over eras.

    `mean` and `std` (ddof 0) have its sign, `mean_absolute` and `largest` do not. `sign_changes`
    counts the eras whose exposure has another sign than that of the era before. `eras` is the
    number of eras.
    """

    name: str
    mean: float
    std: float
    mean_absolute: float
    largest: float
    sign_changes: int
    eras: int


@dataclass(frozen=True)
class Report:
    """The content of the page.

    `overlap` is that of the targets, which all intervals use. `eras` has one row per era: rows,
    the scores, `max_exposure`, `turnover`; `kinds` says which of them the model was trained on.
    `scores` summarizes the eras that are clean or of unknown kind, `inflated_scores` the others;
    the latter is empty without such eras. `models_shown` is the number of models whose scores on
    some of these eras were shown, `None` if it is unknown; `best_of` is `scores` corrected for
    selection among several models. `exposures` are those with the largest mean absolute value;
    `largest_exposures` has them for each era, shape (eras, features). `max_exposure` summarizes
    the largest absolute exposure of each era. Exposures, correlations and turnover summarize the
    same eras as `scores`, or all if there is no such era. `equal_eras` counts the eras whose
    predictions are all equal.
    """

    subject: Subject
    overlap: TargetOverlap
    eras: pd.DataFrame
    kinds: Sequence[EraKind]
    scores: Mapping[str, ScoreSummary]
    inflated_scores: Mapping[str, ScoreSummary]
    models_shown: int | None
    best_of: Mapping[str, ScoreSummary]
    groups: Sequence[FeatureSetExposure]
    exposures: Sequence[FeatureExposure]
    largest_exposures: pd.DataFrame
    max_exposure: QuantitySummary
    correlations: Sequence[NamedMean]
    turnover_kind: TurnoverKind
    turnover: QuantitySummary
    equal_eras: int
    notes: Sequence[str]

    @property
    def skilled(self) -> list[str]:
        """The judged scores above 0 beyond chance, all of them and all models shown considered."""
        clean = self.eras[~np.asarray(self.inflated, bool)]
        judged = {name: clean[name] for name in self.judged}
        return above_zero(judged, self.overlap.eras, self.models_shown or 1)

    @property
    def judged(self) -> list[str]:
        """The scores that decide whether there is skill: those with a value that counts."""
        return [name for name in JUDGED if name in self.scores and self.scores[name].eras]

    @property
    def inflated(self) -> list[bool]:
        """Whether training inflates the scores, for each row of `eras`."""
        return [kind.is_inflated for kind in self.kinds]

    @property
    def without_predictions(self) -> str | None:
        """How many eras have equal predictions, in a sentence; `None` if there is none."""
        if not self.equal_eras:
            return None
        return (
            f"in {self.equal_eras} of {counted(len(self.kinds), 'era')} all predictions are equal: "
            "such an era has no score, and the tournament would refuse such a submission"
        )

    @property
    def looks(self) -> str:
        """How many models were scored on these eras, in a sentence."""
        corrected = any(each.mean is not None for each in self.best_of.values())
        return describe_looks(self.models_shown, "these eras", corrected=corrected)

    @property
    def scored_eras(self) -> str:
        """Which eras the summary is of, in a sentence."""
        inflated = sum(self.inflated)
        if EraKind.UNKNOWN in self.kinds:
            return f"{len(self.kinds) - inflated} eras, training eras unknown"
        if not inflated:
            return f"{len(self.kinds)} eras, clean: the model was not trained on them"
        return (
            f"{len(self.kinds) - inflated} clean eras; {inflated} others, which the model was "
            "trained on or whose targets overlap with those, are shown separately"
        )
