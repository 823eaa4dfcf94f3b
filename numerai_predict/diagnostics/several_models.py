"""Several models on the same eras: their reports side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.diagnostics.comparison import with_payout
from numerai_predict.diagnostics.measured_models import PredictedEras, clean_eras, rank_correlation
from numerai_predict.diagnostics.report import Report, distinct_names
from numerai_predict.scoring.score_summary import ScoreSummary, summarize


@dataclass(frozen=True)
class ModelsReport:
    """The reports of several models, in their order.

    `names` are theirs in the report. `eras` are those that no model was trained on, as far as that
    is known. `scores` has each score of all models on these eras, one row per era and one column
    per name, and `summaries` summarizes them, by score and name. `correlations` are those of the
    predictions' ranks, float64 with shape (models, models).
    """

    reports: Sequence[Report]
    names: Sequence[str]
    eras: Sequence[str]
    scores: Mapping[str, pd.DataFrame]
    summaries: Mapping[str, Mapping[str, ScoreSummary]]
    correlations: NDArray[np.float64]

    @property
    def left_out(self) -> int:
        """How many eras are left out: a model was trained on them, or they overlap with those."""
        return len(self.reports[0].kinds) - len(self.eras)


def make_models_report(models: Sequence[PredictedEras], reports: Sequence[Report]) -> ModelsReport:
    """Put the reports of measured models side by side; they are in the same order."""
    names = distinct_names([report.subject for report in reports])
    eras = clean_eras([each.model for each in models])
    scores = _scores(reports, names, eras)
    overlap = reports[0].overlap.eras
    return ModelsReport(
        reports,
        names,
        eras,
        scores,
        {
            score: {name: summarize(table[name], overlap) for name in names}
            for score, table in scores.items()
        },
        _correlations(lambda one, other: rank_correlation(models[one], models[other], eras), names),
    )


def _scores(
    reports: Sequence[Report], names: Sequence[str], eras: Sequence[str]
) -> dict[str, pd.DataFrame]:
    by_model = {
        name: with_payout(report.eras.loc[list(eras), list(report.scores)])
        for name, report in zip(names, reports, strict=True)
    }
    found = dict.fromkeys(score for table in by_model.values() for score in table)
    tables = {
        str(score): pd.DataFrame({name: table.get(score) for name, table in by_model.items()})
        for score in found
    }
    return {score: table for score, table in tables.items() if table.notna().to_numpy().any()}


def _correlations(
    correlation: Callable[[int, int], float], names: Sequence[str]
) -> NDArray[np.float64]:
    found = np.eye(len(names))
    for one in range(len(names)):
        for other in range(one):
            found[one, other] = found[other, one] = correlation(one, other)
    return found
