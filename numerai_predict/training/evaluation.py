"""Scores of a window's models on eras that they never saw, read and predicted slice by slice."""

from __future__ import annotations

import importlib.metadata
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.runner.run_log import log_step
from numerai_predict.scoring.exposures import largest_exposure
from numerai_predict.scoring.per_era import era_scores
from numerai_predict.scoring.score_summary import summarize
from numerai_predict.storage.files import sha256_of
from numerai_predict.training.checkpoints import Checkpoints, StoredResult
from numerai_predict.training.model_fitting import TrainedModel, describe_eras
from numerai_predict.training.predict_template import combine, load_model, predict_with
from numerai_predict.training.trainers.interface import era_slices
from numerai_predict.training.training_data import TrainingData, benchmark_files
from numerai_predict.training.walk_forward import WalkForwardWindow

_META_MODEL = "meta_model.parquet"
_META_COLUMN = "numerai_meta_model"


@dataclass(frozen=True)
class Evaluation:
    """A window's scores and predictions.

    `scores` has one row an era: corr, and of mmc, bmc and fnc what can be known, and the largest
    absolute `exposure` to a feature. `predictions` has the index `id`, `era`, the ensemble as
    `prediction`, and one column a model with its own output.
    """

    window: str
    scores: pd.DataFrame
    predictions: pd.DataFrame

    def summary(self) -> dict[str, Any]:
        """Each score in a few numbers."""
        return {str(name): asdict(summarize(column)) for name, column in self.scores.items()}


@dataclass(frozen=True)
class Evaluator:
    """What scores are made with, besides the data."""

    inputs: TrainingData
    kind: str
    neutralize: float
    checkpoints: Checkpoints

    def evaluate(self, window: WalkForwardWindow, models: Sequence[TrainedModel]) -> Evaluation:
        """The scores, made now or taken from their checkpoint."""
        label = f"{window.name} scores"
        facts = self._facts(window, models)
        stored = self.checkpoints.get(label, facts)
        if stored is None:
            scores, predictions = self._score(window, models)
            file = io.BytesIO()
            predictions.to_parquet(file)
            told = {"scores": json.loads(scores.to_json(orient="split", double_precision=15))}
            stored = self.checkpoints.put(label, facts, told, file.getvalue())
        return _load_evaluation(window, stored)

    def _score(
        self, window: WalkForwardWindow, models: Sequence[TrainedModel]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        log_step("score", f"{window.name}: {len(window.scored)} eras, {len(models)} model(s)")
        loaded = [load_model(self.kind, model.stored.body) for model in models]
        names = [f"{model.target}_{model.seed}" for model in models]
        others = _ComparisonPredictions.of(self.inputs)
        scores, predictions = [], []
        mask = self.inputs.mask(window.scored)
        for part in era_slices(self.inputs.history, mask, len(self.inputs.features)):
            block = self.inputs.history.features(self.inputs.features, part)
            neutral = self.inputs.history.features(self.inputs.neutral, part)
            rows = _EraRows(self.inputs, part)
            outputs = [predict_with(model, block) for model in loaded]
            for era in np.unique(rows.eras):
                inside = rows.eras == era
                own = [output[inside] for output in outputs]
                ids = rows.ids[inside]
                final = pd.Series(combine(own, others.to_neutralise(ids), self.neutralize), ids)
                known = pd.DataFrame(neutral[inside], ids, self.inputs.neutral, dtype=np.float64)
                scores.append(others.scores(final, rows.targets[inside], str(era), known))
                exposure = largest_exposure(final, block[inside], self.inputs.features)
                scores[-1]["exposure"] = exposure.correlation if exposure else np.nan
                frame = {"era": f"{era:04d}", "prediction": final}
                predictions.append(pd.DataFrame({**frame, **dict(zip(names, own, strict=True))}))
        return pd.concat(scores), pd.concat(predictions).rename_axis("id")

    def _facts(self, window: WalkForwardWindow, models: Sequence[TrainedModel]) -> dict[str, Any]:
        files = [self.inputs.folder / _META_MODEL, *benchmark_files(self.inputs.history.paths)]
        return {
            **self.inputs.facts(),
            "models": [[model.target, model.seed, model.stored.sha256] for model in models],
            "scored eras": describe_eras(window.scored),
            "scored target": self.inputs.main_target,
            "neutral to": self.inputs.neutral,
            "compared with": {path.name: sha256_of(path) for path in files if path.is_file()},
            "benchmark": self.inputs.benchmark,
            "neutralize": self.neutralize,
            "versions": {
                "numerai-tools": importlib.metadata.version("numerai-tools"),
                "pandas": pd.__version__,
            },
        }


class _EraRows:
    """Ids, eras and main targets of some rows."""

    def __init__(self, inputs: TrainingData, mask: NDArray[np.bool_]) -> None:
        self.ids = np.asarray(inputs.history.ids(mask), dtype=object)
        self.eras = inputs.history.eras[mask]
        self.targets = inputs.targets[inputs.main_target][mask]


@dataclass(frozen=True)
class _ComparisonPredictions:
    """What predictions are compared with, by id; `None` where it is not known."""

    meta_model: pd.Series[float] | None
    benchmark: pd.Series[float] | None

    @classmethod
    def of(cls, inputs: TrainingData) -> _ComparisonPredictions:
        meta = inputs.folder / _META_MODEL
        meta_model = _column(meta, _META_COLUMN) if meta.is_file() else None
        if inputs.benchmark is None:
            return cls(meta_model, None)
        files = benchmark_files(inputs.history.paths)
        return cls(meta_model, pd.concat([_column(path, inputs.benchmark) for path in files]))

    def to_neutralise(self, ids: NDArray[Any]) -> NDArray[np.float64] | None:
        """The benchmark of these ids, NaN where it has none."""
        if self.benchmark is None:
            return None
        return np.asarray(self.benchmark.reindex(ids), dtype=np.float64)

    def scores(
        self,
        final: pd.Series[float],
        targets: NDArray[np.float32],
        era: str,
        neutral: pd.DataFrame,
    ) -> pd.DataFrame:
        """One era's scores: one row."""
        return era_scores(
            final,
            pd.Series(targets, final.index),
            pd.Series(era, final.index),
            meta_model=None if self.meta_model is None else _align(self.meta_model, final),
            benchmark=None if self.benchmark is None else _align(self.benchmark, final),
            neutralizers=neutral,
        )


def _align(known: pd.Series[float], final: pd.Series[float]) -> pd.Series[float]:
    """The era's own rows: comparing all of them each time would take long."""
    return known.reindex(final.index)


def _column(path: Path, name: str) -> pd.Series[float]:
    return pd.read_parquet(path, columns=[name])[name].astype(np.float64)


def _load_evaluation(window: WalkForwardWindow, stored: StoredResult) -> Evaluation:
    split = stored.result["scores"]
    index = pd.Index(split["index"], name="era", dtype=object)
    scores = pd.DataFrame(split["data"], index, split["columns"], dtype=np.float64)
    return Evaluation(window.name, scores, pd.read_parquet(io.BytesIO(stored.body)))
