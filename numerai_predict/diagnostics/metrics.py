"""What is measured of each era, as it comes: only numbers are kept of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.diagnostics.era_predictions import PredictedEra
from numerai_predict.diagnostics.turnover import Turnover
from numerai_predict.scoring.exposures import exposures
from numerai_predict.scoring.per_era import era_scores

META_MODEL = "meta model"

# Fewer rows in common say little of a correlation, as with the scores.
_COVERAGE = 0.8


class EraMetrics:
    """Tables with one row an era, in the order in which eras were taken.

    `scores` has the columns of `era_scores`, `correlations` one for each benchmark model and the
    meta model (Spearman's, within the era), `exposures` float32 one for each feature.
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
        self.rows: dict[str, int] = {}
        self.turnover = Turnover()

    def add(self, era: PredictedEra) -> None:
        """Measure one more era."""
        name, predictions = era.rows.era, era.predictions
        self.rows[name] = len(predictions)
        self._scores.append(self._score(era))
        others = {str(each): era.benchmarks[each] for each in era.benchmarks}
        if era.meta_model is not None:
            others[META_MODEL] = era.meta_model
        self._correlations[name] = correlations(predictions, others)
        found = exposures(predictions, era.rows.features)
        self._exposures.append(found.astype(np.float32))
        self.turnover.add(name, predictions, found)

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
        """CORR and what else there is, shape (eras, scores)."""
        return pd.concat(self._scores)

    @property
    def correlations(self) -> pd.DataFrame:
        """Rank correlations with other models, shape (eras, models); NaN where unknown."""
        return pd.DataFrame.from_dict(self._correlations, orient="index", dtype=np.float64)

    @property
    def exposures(self) -> pd.DataFrame:
        """Pearson correlations with the features, shape (eras, features)."""
        return pd.DataFrame(np.array(self._exposures), list(self.rows), self._feature_names)


def correlations(
    predictions: pd.Series[float], others: Mapping[str, pd.Series[float]]
) -> dict[str, float]:
    """Spearman's correlation with each of the others, by id.

    NaN where less than 80 percent of the rows are known, or one side is constant.
    """
    found = {}
    for name, other in others.items():
        known = other.reindex(predictions.index).dropna()
        ranks = predictions[known.index].rank()
        covered = len(known) >= max(2, _COVERAGE * len(predictions))
        varied = covered and ranks.nunique() > 1 and known.nunique() > 1
        found[name] = float(ranks.corr(known.rank())) if varied else float("nan")
    return found
