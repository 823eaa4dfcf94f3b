"""The numbers of a diagnosis, for the page and for JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from numerai_predict.diagnostics.metrics import EraMetrics
from numerai_predict.diagnostics.turnover import TurnoverKind
from numerai_predict.scoring.score_summary import ScoreSummary, summarize

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
    """Absolute exposures (means over eras) to the features of a set; `feature` has the largest."""

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
class Report:
    """The content of the page.

    `eras` has one row per era: rows, the scores, `max_exposure`, `turnover`. `exposures` are
    those with the largest absolute mean over eras, with their sign. `max_exposure` summarizes
    the largest absolute exposure of each era.
    """

    subject: Subject
    eras: pd.DataFrame
    scores: Mapping[str, ScoreSummary]
    groups: Sequence[FeatureSetExposure]
    exposures: Sequence[NamedMean]
    max_exposure: ScoreSummary
    correlations: Sequence[NamedMean]
    turnover_kind: TurnoverKind
    turnover: ScoreSummary
    notes: Sequence[str]

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
            "exposure": {
                "groups": [asdict(each) for each in self.groups],
                "largest": [asdict(each) for each in self.exposures],
                "max_of_era": asdict(self.max_exposure),
            },
            "correlations": [asdict(each) for each in self.correlations],
            "turnover": {"kind": self.turnover_kind.name.lower(), **asdict(self.turnover)},
            "eras": [
                {"era": era, **row, "rows": int(row["rows"])}
                for era, row in _json_rows(self.eras).items()
            ],
            "notes": list(self.notes),
            "run": dict(run),
        }
        return json.dumps(content, indent=2, allow_nan=False) + "\n"


def make_report(
    subject: Subject,
    metrics: EraMetrics,
    feature_sets: Mapping[str, Sequence[str]],
    notes: Sequence[str],
) -> Report:
    """Build the report from the metrics."""
    scores, exposures = metrics.scores, metrics.exposures
    largest = exposures.abs().max(axis=1).astype(np.float64)
    turnover = metrics.turnover.per_era
    eras = scores.assign(max_exposure=largest, turnover=turnover)
    eras.insert(0, "rows", pd.Series(metrics.rows))
    mean = exposures.mean().astype(np.float64)
    return Report(
        subject=subject,
        eras=eras,
        scores={str(name): summarize(scores[name]) for name in scores},
        groups=[
            group
            for name, names in feature_sets.items()
            if (group := _feature_set_exposure(name, names, mean))
        ],
        exposures=_largest_exposures(exposures, mean),
        max_exposure=summarize(largest),
        correlations=_named_means(metrics.correlations),
        turnover_kind=metrics.turnover.kind,
        turnover=summarize(turnover),
        notes=list(notes),
    )


def _feature_set_exposure(
    name: str, names: Sequence[str], mean: pd.Series[float]
) -> FeatureSetExposure | None:
    """The exposures to a set; `None` if no feature of the set has an exposure."""
    found = mean.reindex(list(names)).abs().dropna()
    if found.empty:
        return None
    return FeatureSetExposure(
        name, len(found), float(found.mean()), float(found.max()), str(found.idxmax())
    )


def _largest_exposures(exposures: pd.DataFrame, mean: pd.Series[float]) -> list[NamedMean]:
    names = mean.abs().sort_values(ascending=False, kind="stable").dropna().index
    some = names[:_MAX_EXPOSURES]
    return [
        NamedMean(str(name), float(mean[name]), float(exposures[name].std(ddof=0))) for name in some
    ]


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
