"""Measures several models on the same eras, and keeps their predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from numerai_predict.contract.deadline import Deadline
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.era_predictions import PredictedEra
from numerai_predict.diagnostics.measured_model import MeasuredModel, measure_model
from numerai_predict.diagnostics.metrics import correlations


@dataclass(frozen=True)
class PredictedEras:
    """A measured model, and its predictions by era: series by id."""

    model: MeasuredModel
    predictions: Mapping[str, pd.Series[float]]


def measure_models(
    configs: Sequence[DiagnosisConfig],
    deadline: Deadline,
    on_progress: Callable[[int, int], None],
) -> list[PredictedEras]:
    """Run models over past eras, one after the other.

    The configurations differ in the model alone. Calls `on_progress(done, total)` after each era;
    both count the eras of all models.

    Raises:
        RunError: data are missing, or a model cannot run or failed.
    """

    def measured(position: int, config: DiagnosisConfig) -> PredictedEras:
        return _measure(
            config,
            deadline,
            lambda done, total: on_progress(position * total + done, len(configs) * total),
        )

    return [measured(position, config) for position, config in enumerate(configs)]


def _measure(
    config: DiagnosisConfig, deadline: Deadline, on_progress: Callable[[int, int], None]
) -> PredictedEras:
    predictions: dict[str, pd.Series[float]] = {}

    def keep(era: PredictedEra) -> None:
        predictions[era.rows.era] = era.predictions

    return PredictedEras(measure_model(config, deadline, on_progress, keep), predictions)


def clean_eras(models: Sequence[MeasuredModel]) -> list[str]:
    """The eras that none of the models was trained on, as far as that is known, in order."""
    kinds = zip(*(model.kinds for model in models), strict=True)
    eras = zip(models[0].metrics.rows, kinds, strict=True)
    return [era for era, of_models in eras if not any(kind.is_inflated for kind in of_models)]


def rank_correlation(first: PredictedEras, second: PredictedEras, eras: Sequence[str]) -> float:
    """Spearman's correlation of the predictions within an era, mean over eras; NaN if undefined."""
    found = [
        correlations(first.predictions[era], {"other": second.predictions[era]})["other"]
        for era in eras
    ]
    known = np.array(found, np.float64)
    return float(np.nanmean(known)) if np.isfinite(known).any() else float("nan")
