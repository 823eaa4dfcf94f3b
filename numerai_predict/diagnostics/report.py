"""The numbers of a diagnosis, for the page and for JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from numerai_predict.contract.trained_eras import TrainedEras
from numerai_predict.diagnostics.metrics import EraMetrics
from numerai_predict.diagnostics.training_overlap import EraKind, kind_of
from numerai_predict.diagnostics.turnover import TurnoverKind
from numerai_predict.scoring.score_summary import (
    QuantitySummary,
    ScoreSummary,
    summarize,
    summarize_best_of,
    summarize_quantity,
)
from numerai_predict.scoring.target_overlap import UNKNOWN_OVERLAP, overlap_of_days, target_days

_MAX_EXPOSURES = 20


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
    """The exposures of all eras to one feature.

    `mean` and `std` (ddof 0) have its sign, `mean_absolute` and `largest` do not. `sign_changes`
    counts the eras whose exposure has another sign than that of the era before.
    """

    name: str
    mean: float
    std: float
    mean_absolute: float
    largest: float
    sign_changes: int


@dataclass(frozen=True)
class Report:
    """The content of the page.

    `eras` has one row per era: rows, the scores, `max_exposure`, `turnover`; `kinds` says which of
    them the model was trained on. `scores` summarizes the eras that are clean or of unknown kind,
    `inflated_scores` the others; the latter is empty without such eras. `models_shown` is the
    number of models whose scores on some of these eras were shown, `None` if it is unknown;
    `best_of` is what is left of `scores` if they are the best of several. `exposures` are those
    with the largest mean absolute value. `max_exposure` summarizes the largest absolute exposure of
    each era.
    """

    subject: Subject
    eras: pd.DataFrame
    kinds: Sequence[EraKind]
    scores: Mapping[str, ScoreSummary]
    inflated_scores: Mapping[str, ScoreSummary]
    models_shown: int | None
    best_of: Mapping[str, ScoreSummary]
    groups: Sequence[FeatureSetExposure]
    exposures: Sequence[FeatureExposure]
    max_exposure: QuantitySummary
    correlations: Sequence[NamedMean]
    turnover_kind: TurnoverKind
    turnover: QuantitySummary
    notes: Sequence[str]

    @property
    def inflated(self) -> list[bool]:
        """Whether training inflates the scores, for each row of `eras`."""
        return [kind.is_inflated for kind in self.kinds]

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
            "trained on or whose targets overlap with those, are shown apart"
        )

    def as_json(self, run: Mapping[str, Any]) -> str:
        """The report as one JSON object; `run` is the part that differs between runs."""
        content = {
            "model": {
                "source": self.subject.model,
                "sha256": self.subject.sha256,
                "python": self.subject.pythons,
                "arguments": self.subject.arguments,
            },
            "data": {
                name: getattr(self.subject, name)
                for name in (
                    "validation",
                    "target",
                    "features",
                    "benchmark",
                    "meta_model",
                    "neutral_to",
                )
            },
            "summary": {name: asdict(each) for name, each in self.scores.items()},
            "summary_of_trained_eras": {
                name: asdict(each) for name, each in self.inflated_scores.items()
            },
            "models_shown": self.models_shown,
            "summary_best_of": {name: asdict(each) for name, each in self.best_of.items()},
            "scored_eras": self.scored_eras,
            "exposure": {
                "groups": [asdict(each) for each in self.groups],
                "largest": [asdict(each) for each in self.exposures],
                "max_of_era": asdict(self.max_exposure),
            },
            "correlations": [asdict(each) for each in self.correlations],
            "turnover": {"kind": self.turnover_kind.name.lower(), **asdict(self.turnover)},
            "eras": [
                {"era": era, "training": kind.value, **row, "rows": int(row["rows"])}
                for kind, (era, row) in zip(self.kinds, _json_rows(self.eras).items(), strict=True)
            ],
            "notes": list(self.notes),
            "run": dict(run),
        }
        return json.dumps(content, indent=2, allow_nan=False) + "\n"


def make_report(
    subject: Subject,
    metrics: EraMetrics,
    feature_sets: Mapping[str, Sequence[str]],
    trained: TrainedEras | None,
    models_shown: int | None,
    notes: Sequence[str],
) -> Report:
    """Build the report from the metrics.

    `trained` are the model's training eras, `models_shown` the number of models whose scores on
    these eras were shown, this one's included; `None` if unknown.
    """
    scores, exposures = metrics.scores, metrics.exposures
    largest = exposures.abs().max(axis=1).astype(np.float64)
    turnover = metrics.turnover.per_era
    eras = scores.assign(max_exposure=largest, turnover=turnover)
    eras.insert(0, "rows", pd.Series(metrics.rows))
    kinds = [kind_of(str(era), trained) for era in eras.index]
    inflated = np.array([kind.is_inflated for kind in kinds], bool)
    overlap = _overlap(subject.target)
    return Report(
        subject=subject,
        eras=eras,
        kinds=kinds,
        scores=_summaries(scores[~inflated], overlap),
        inflated_scores=_summaries(scores[inflated], overlap) if inflated.any() else {},
        models_shown=models_shown,
        best_of=_best_of(scores[~inflated], overlap, models_shown or 1),
        groups=[
            group
            for name, names in feature_sets.items()
            if (group := _feature_set_exposure(name, names, exposures))
        ],
        exposures=_largest_exposures(exposures),
        max_exposure=summarize_quantity(largest),
        correlations=_named_means(metrics.correlations),
        turnover_kind=metrics.turnover.kind,
        turnover=summarize_quantity(turnover),
        notes=list(notes),
    )


def _overlap(target: str) -> int:
    days = target_days(target)
    return UNKNOWN_OVERLAP if days is None else overlap_of_days(days)


def _summaries(scores: pd.DataFrame, overlap: int) -> dict[str, ScoreSummary]:
    return {str(name): summarize(scores[name], overlap) for name in scores}


def _best_of(scores: pd.DataFrame, overlap: int, models: int) -> dict[str, ScoreSummary]:
    """What is left of each score; none for a single model."""
    if models < 2:
        return {}
    return {str(name): summarize_best_of(scores[name], overlap, models) for name in scores}


def _feature_set_exposure(
    name: str, names: Sequence[str], exposures: pd.DataFrame
) -> FeatureSetExposure | None:
    """The exposures to a set; `None` if no feature of the set has an exposure."""
    present = [each for each in names if each in exposures]
    absolute = exposures[present].abs().dropna(axis=1, how="all").astype(np.float64)
    if absolute.empty:
        return None
    largest = absolute.max()
    return FeatureSetExposure(
        name,
        absolute.shape[1],
        float(absolute.mean().mean()),
        float(largest.max()),
        str(largest.idxmax()),
    )


def _largest_exposures(exposures: pd.DataFrame) -> list[FeatureExposure]:
    mean_absolute = exposures.abs().mean().dropna()
    names = mean_absolute.sort_values(ascending=False, kind="stable").index[:_MAX_EXPOSURES]
    return [_feature_exposure(str(name), exposures[name].astype(np.float64)) for name in names]


def _feature_exposure(name: str, values: pd.Series[float]) -> FeatureExposure:
    signs = np.sign(values.dropna().to_numpy())
    return FeatureExposure(
        name,
        float(values.mean()),
        float(values.std(ddof=0)),
        float(values.abs().mean()),
        float(values.abs().max()),
        int((signs[1:] != signs[:-1]).sum()),
    )


def _named_means(table: pd.DataFrame) -> list[NamedMean]:
    found = [
        NamedMean(str(name), float(table[name].mean()), float(table[name].std(ddof=0)))
        for name in table
        if table[name].notna().any()
    ]
    return sorted(found, key=lambda each: (-each.mean, each.name))


def _json_rows(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The table's rows by index label; `None` for NaN."""
    return {
        str(name): {str(key): value if math.isfinite(value) else None for key, value in row.items()}
        for name, row in table.astype(np.float64).to_dict("index").items()
    }
