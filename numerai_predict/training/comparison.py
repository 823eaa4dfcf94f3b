"""The meta model and the benchmark model that MMC and BMC compare predictions with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.contract.dataset_name import data_version_of
from numerai_predict.scoring.per_era import era_scores
from numerai_predict.training.training_data import (
    TrainingData,
    benchmark_file_of,
    benchmark_files,
)

META_MODEL = "meta_model.parquet"
_META_MODEL_COLUMN = "numerai_meta_model"


@dataclass(frozen=True)
class ComparisonPredictions:
    """Predictions to compare with, float64 by id; `None` if there is no file of them."""

    meta_model: pd.Series[float] | None
    benchmark: pd.Series[float] | None

    @classmethod
    def read(cls, data: TrainingData) -> ComparisonPredictions:
        """Read the predictions from the directory of the training data."""
        path = data.directory / META_MODEL
        meta_model = _read_column(path, _META_MODEL_COLUMN) if path.is_file() else None
        if data.benchmark is None:
            return cls(meta_model, None)
        files = benchmark_files(data.history.paths)
        return cls(meta_model, pd.concat([_read_column(path, data.benchmark) for path in files]))

    def benchmark_of(self, ids: NDArray[Any]) -> NDArray[np.float64] | None:
        """The benchmark of these ids, NaN for unknown ids; `None` without a benchmark."""
        if self.benchmark is None:
            return None
        return np.asarray(self.benchmark.reindex(ids), dtype=np.float64)

    def scores(
        self,
        predictions: pd.Series[float],
        targets: NDArray[np.float32],
        era: str,
        neutralizers: pd.DataFrame | None,
    ) -> pd.DataFrame:
        """The scores of one era: one row, with the columns of `era_scores`.

        Without neutralizers there is no FNC.
        """
        return era_scores(
            predictions,
            pd.Series(targets, predictions.index),
            pd.Series(era, predictions.index),
            meta_model=_align(self.meta_model, predictions),
            benchmark=_align(self.benchmark, predictions),
            neutralizers=neutralizers,
        )


def absent_scores(data: TrainingData) -> list[str]:
    """The scores that the data have no file for, one sentence each: which file, how to get it."""
    wanted = [("MMC", data.directory / META_MODEL)]
    for path in data.history.paths:
        wanted.append(("BMC of its eras", benchmark_file_of(path)))
    version = data_version_of(str(data.directory.absolute() / META_MODEL))
    option = f" --data-version {version}" if version else ""
    return [
        f"there is no {score}, because {path.name} is missing in {path.parent}: "
        f"get it with `numerai-predict data get {path.stem}{option}`"
        for score, path in wanted
        if not path.is_file()
    ]


def _align(
    series: pd.Series[float] | None, predictions: pd.Series[float]
) -> pd.Series[float] | None:
    """The rows of the era only: aligning the whole file in each score would take long."""
    return None if series is None else series.reindex(predictions.index)


def _read_column(path: Path, name: str) -> pd.Series[float]:
    return pd.read_parquet(path, columns=[name])[name].astype(np.float64)
