"""Metrics of each era, computed one era at a time: no rows are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.data.era_marks import EraMark, era_mark
from numerai_predict.diagnostics.era_predictions import PredictedEra
from numerai_predict.diagnostics.turnover import Turnover
from numerai_predict.scoring.exposures import exposures, target_loadings
from numerai_predict.scoring.overlap_estimate import (
    TOO_FEW_ERAS,
    OverlapEstimate,
    estimate_overlap,
)
from numerai_predict.scoring.per_era import era_scores

META_MODEL = "meta model"

# Minimum share of common rows, as for the scores.
_COVERAGE = 0.8


class EraMetrics:
    """Collects tables with one row per era, in the order in which eras are added.

    `feature_names` are the columns of the features, `benchmark` is the benchmark model of BMC,
    `neutral_to` the features of FNC. `rows` is the number of rows by era, `marks` the
    marks of what it contains.
    """

    def __init__(
        self,
        feature_names: Sequence[str],
        benchmark: str | None,
        neutral_to: Sequence[str],
    ) -> None:
        self._feature_names = list(feature_names)
        self._benchmark = benchmark
        position = {name: number for number, name in enumerate(feature_names)}
        self._neutral = [position[name] for name in neutral_to]
        self._scores: list[pd.DataFrame] = []
        self._correlations: dict[str, dict[str, float]] = {}
        self._exposures: list[NDArray[np.float32]] = []
        self._loadings: list[NDArray[np.float64]] = []
        self.rows: dict[str, int] = {}
        self.marks: dict[str, EraMark] = {}
        self.turnover = Turnover()

    def add(self, era: PredictedEra) -> None:
        """Compute the metrics of one more era."""
        name, predictions = era.rows.era, era.predictions
        self.rows[name] = len(predictions)
        self.marks[name] = era_mark(predictions.index.to_list(), era.rows.target)
        self._scores.append(self._score(era))
        other_models = {one_line(each): era.benchmarks[each] for each in era.benchmarks}
        if era.meta_model is not None:
            other_models[META_MODEL] = era.meta_model
        self._correlations[name] = correlations(predictions, other_models)
        era_exposures = exposures(predictions, era.rows.features)
        self._exposures.append(era_exposures.astype(np.float32))
        self._loadings.append(target_loadings(era.rows.target, era.rows.features))
        self.turnover.add(name, predictions, era_exposures)

    def _score(self, era: PredictedEra) -> pd.DataFrame:
        index = era.predictions.index
        neutralizers = None
        if self._neutral:
            neutralizers = pd.DataFrame(era.rows.features[:, self._neutral], index)
        return era_scores(
            era.predictions,
            pd.Series(era.rows.target, index),
            pd.Series(era.rows.era, index, dtype=object),
            meta_model=era.meta_model,
            benchmark=None if self._benchmark is None else era.benchmarks[self._benchmark],
            neutralizers=neutralizers,
        )

    @property
    def scores(self) -> pd.DataFrame:
        """The columns of `era_scores`, float64 with shape (eras, scores)."""
        return pd.concat(self._scores)

    @property
    def overlap_estimate(self) -> OverlapEstimate:
        """The overlap of the targets that these eras show."""
        if not all(era.isdecimal() for era in self.rows):
            return TOO_FEW_ERAS
        order = np.argsort([int(era) for era in self.rows])
        eras = sorted(int(era) for era in self.rows)
        return estimate_overlap(eras, np.array(self._loadings)[order])

    @property
    def correlations(self) -> pd.DataFrame:
        """Spearman correlations with other models, float64 with shape (eras, models).

        NaN where the correlation is undefined.
        """
        return pd.DataFrame.from_dict(self._correlations, orient="index", dtype=np.float64)

    @property
    def exposures(self) -> pd.DataFrame:
        """Pearson correlations with the features, float32 with shape (eras, features)."""
        return pd.DataFrame(np.array(self._exposures), list(self.rows), self._feature_names)


def correlations(
    predictions: pd.Series[float], other_models: Mapping[str, pd.Series[float]]
) -> dict[str, float]:
    """Spearman's correlation with each other model's predictions; all series are by id.

    NaN if less than 80 percent of the rows are common, or one side is constant.
    """
    result = {}
    for name, theirs in other_models.items():
        common = theirs.reindex(predictions.index).dropna()
        ranks = predictions[common.index].rank()
        covered = len(common) >= max(2, _COVERAGE * len(predictions))
        varied = covered and ranks.nunique() > 1 and common.nunique() > 1
        result[name] = float(ranks.corr(common.rank())) if varied else float("nan")
    return result
