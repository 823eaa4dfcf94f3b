"""Builds the report of a diagnosis from the metrics of its eras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from numerai_predict.diagnostics.measured_model import MeasuredModel
from numerai_predict.diagnostics.report import (
    FeatureExposure,
    FeatureSetExposure,
    NamedMean,
    Report,
)
from numerai_predict.scoring.score_summary import (
    ScoreSummary,
    summarize,
    summarize_best_of,
    summarize_quantity,
)

_MAX_EXPOSURES = 20


def make_report(model: MeasuredModel, models_shown: int | None, notes: Sequence[str]) -> Report:
    """Build the report from the metrics of a model.

    `models_shown` is the number of models whose scores on these eras were shown, this one's
    included; `None` if unknown. Exposures, turnover and correlations summarize the same eras as
    the scores; all eras if the model was trained on each.
    """
    metrics, kinds, overlap = model.metrics, model.kinds, model.overlap
    scores, exposures = metrics.scores, metrics.exposures
    largest = exposures.abs().max(axis=1).astype(np.float64)
    turnover = metrics.turnover.per_era
    eras = scores.assign(max_exposure=largest, turnover=turnover)
    eras.insert(0, "rows", pd.Series(metrics.rows))
    inflated = np.array([kind.is_inflated for kind in kinds], bool)
    counted = np.ones(len(kinds), bool) if inflated.all() else ~inflated
    by_size = _largest_exposures(exposures[counted])
    return Report(
        subject=model.subject,
        overlap=overlap,
        eras=eras,
        kinds=kinds,
        scores=_summaries(scores[~inflated], overlap.eras),
        inflated_scores=_summaries(scores[inflated], overlap.eras) if inflated.any() else {},
        models_shown=models_shown,
        best_of=_best_of(scores[~inflated], overlap.eras, models_shown or 1),
        groups=_feature_set_exposures(model.feature_sets.sets, exposures[counted]),
        exposures=by_size,
        largest_exposures=exposures[[each.name for each in by_size]].astype(np.float64),
        max_exposure=summarize_quantity(largest[counted]),
        correlations=_named_means(metrics.correlations.reindex(scores.index[counted])),
        turnover_kind=metrics.turnover.kind,
        turnover=summarize_quantity(turnover[counted]),
        equal_eras=len(model.equal_eras),
        notes=list(notes),
    )


def _summaries(scores: pd.DataFrame, overlap: int) -> dict[str, ScoreSummary]:
    return {str(name): summarize(scores[name], overlap) for name in scores}


def _best_of(scores: pd.DataFrame, overlap: int, models: int) -> dict[str, ScoreSummary]:
    """What is left of each score; none for a single model."""
    if models < 2:
        return {}
    return {str(name): summarize_best_of(scores[name], overlap, models) for name in scores}


def _feature_set_exposures(
    feature_sets: Mapping[str, Sequence[str]], exposures: pd.DataFrame
) -> list[FeatureSetExposure]:
    found = (_feature_set_exposure(name, each, exposures) for name, each in feature_sets.items())
    return [group for group in found if group is not None]


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
    known = values.dropna()
    signs = np.sign(known.to_numpy())
    return FeatureExposure(
        name,
        float(values.mean()),
        float(values.std(ddof=0)),
        float(values.abs().mean()),
        float(values.abs().max()),
        int((signs[1:] != signs[:-1]).sum()),
        len(known),
    )


def _named_means(table: pd.DataFrame) -> list[NamedMean]:
    found = [
        NamedMean(str(name), float(table[name].mean()), float(table[name].std(ddof=0)))
        for name in table
        if table[name].notna().any()
    ]
    return sorted(found, key=lambda each: (-each.mean, each.name))
