"""Scores of a window's models on eras that they were not trained on."""

from __future__ import annotations

import importlib.metadata
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.data.era_selection import era_name
from numerai_predict.runner.run_log import log_step
from numerai_predict.scoring.exposures import largest_exposure
from numerai_predict.scoring.score_summary import (
    summarize,
    summarize_best_of,
    summarize_quantity,
)
from numerai_predict.storage.files import sha256_of
from numerai_predict.training.blending.transform import NO_TRANSFORM, BlendTransform
from numerai_predict.training.checkpoints import Checkpoints, StoredResult
from numerai_predict.training.comparison import META_MODEL, ComparisonPredictions
from numerai_predict.training.model_fitting import TrainedModel
from numerai_predict.training.model_outputs import output_function
from numerai_predict.training.predict_template import (
    final_predictions,
    has_values,
)
from numerai_predict.training.trainers.interface import era_slices
from numerai_predict.training.training_data import TrainingData, benchmark_files
from numerai_predict.training.validation_plan import ValidationWindow, describe_eras

EXPOSURE = "exposure"

_FORM = 2  # of stored scores; 1 had no names of four digits, and FNC where features explain all


@dataclass(frozen=True)
class Evaluation:
    """A window's scores and predictions.

    `scores` has one row per era: corr, those of mmc, bmc and fnc whose inputs are available, and
    the largest absolute `exposure` to a feature. `predictions` has the index `id` and the columns
    `era`, `prediction` (the ensemble) and one per model with its raw output. `overlap` is the
    number of neighbouring eras whose targets share time.
    """

    window: str
    scores: pd.DataFrame
    predictions: pd.DataFrame
    overlap: int

    def best_of(self, models: int) -> dict[str, Any]:
        """Each score corrected for selection among so many models."""
        return {
            str(name): asdict(summarize_best_of(column, self.overlap, models))
            for name, column in self.scores.items()
            if name != EXPOSURE
        }

    def summary(self) -> dict[str, Any]:
        """Summary statistics of each score and of the exposure."""
        return {
            str(name): asdict(
                summarize_quantity(column) if name == EXPOSURE else summarize(column, self.overlap)
            )
            for name, column in self.scores.items()
        }


@dataclass(frozen=True)
class ScoredWindow:
    """A window, its models, one per target and seed, and their evaluation."""

    window: ValidationWindow
    models: Sequence[TrainedModel]
    evaluation: Evaluation


@dataclass(frozen=True)
class Evaluator:
    """Scores models; `kind` is the trainer's name, `neutralize` the share to remove.

    `overlap` is the number of neighbouring eras whose targets share time, `max_exposure` the
    highest correlation of the predictions with a feature, `blend` the transform before it.
    """

    data: TrainingData
    kind: str
    neutralize: float
    checkpoints: Checkpoints
    overlap: int
    max_exposure: float | None = None
    blend: BlendTransform = NO_TRANSFORM

    @property
    def uses_benchmark(self) -> bool:
        """Whether the predictions depend on the benchmark model."""
        return bool(self.neutralize) or self.blend.uses_benchmark

    def evaluate(self, window: ValidationWindow, models: Sequence[TrainedModel]) -> Evaluation:
        """The scores of the window, computed or loaded from their checkpoint."""
        label = f"{window.name} scores"
        facts = self.facts(window, models)
        stored = self.checkpoints.get(label, facts)
        if stored is None:
            scores, predictions = self._score(window, models)
            file = io.BytesIO()
            predictions.to_parquet(file)
            result = {"scores": json.loads(scores.to_json(orient="split", double_precision=15))}
            stored = self.checkpoints.put(label, facts, result, file.getvalue())
        return self._load(window, stored)

    def _score(
        self, window: ValidationWindow, models: Sequence[TrainedModel]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        log_step("score", f"{window.name}: {len(window.scored)} eras, {len(models)} model(s)")
        loaded = [output_function(self.kind, model.stored.body) for model in models]
        names = [f"{model.target}_{model.seed}" for model in models]
        comparison = ComparisonPredictions.read(self.data)
        spec = {
            "neutralize": self.neutralize,
            "blend": self.blend.as_spec(),
            "max_exposure": self.max_exposure,
        }
        scores, predictions, left_out = [], [], []
        for rows in self._eras(window.scored, loaded):
            benchmark = comparison.benchmark_of(rows.ids)
            if self.uses_benchmark and not has_values(benchmark):
                left_out.append(era_name(rows.era))
                continue
            ensemble = final_predictions(rows.outputs, benchmark, rows.blended, rows.features, spec)
            prediction = pd.Series(ensemble, rows.ids)
            neutralizers = pd.DataFrame(
                rows.neutralizers, rows.ids, self.data.neutral, dtype=np.float64
            )
            name = era_name(rows.era)
            era = comparison.scores(prediction, rows.targets, name, neutralizers)
            exposure = largest_exposure(prediction, rows.features, self.data.features)
            era[EXPOSURE] = exposure.correlation if exposure else np.nan
            scores.append(era)
            columns = {"era": name, "prediction": prediction}
            outputs = dict(zip(names, rows.outputs, strict=True))
            predictions.append(pd.DataFrame({**columns, **outputs}))
        if left_out:
            self._report_left_out(window, left_out)
        return pd.concat(scores), pd.concat(predictions).rename_axis("id")

    def _report_left_out(self, window: ValidationWindow, eras: Sequence[str]) -> None:
        """Say which eras have no score, because the bundle refuses to predict them."""
        found = f"{len(eras)} of {len(window.scored)} eras have no row of {self.data.benchmark}"
        if len(eras) == len(window.scored):
            raise BadConfiguration(
                f"expected benchmark rows to neutralize {window.name} to, found that {found}",
                "get the files of benchmark models that belong to the data, or leave `neutralize` "
                "and the benchmark of `blend` out",
            )
        log_step(
            "warning",
            f"{window.name}: {found}, such as {eras[0]}: they are not scored, as the predictions "
            "could not be neutralized",
        )

    def _eras(self, eras: Sequence[int], models: Sequence[Any]) -> Iterator[_PredictedRows]:
        """The rows of each era with the models' outputs, read in slices of bounded size."""
        data = self.data
        blended_names = list(self.blend.features)
        width = len(data.features) + len(blended_names)
        for mask in era_slices(data.history, data.mask(eras), width):
            features = data.history.features(data.features, mask)
            blended = data.history.features(blended_names, mask)
            neutralizers = data.history.features(data.neutral, mask)
            ids = np.asarray(data.history.ids(mask), dtype=object)
            row_eras = data.history.eras[mask]
            targets = data.targets[data.main_target][mask]
            outputs = [model(features) for model in models]
            for era in np.unique(row_eras):
                rows = row_eras == era
                yield _PredictedRows(
                    era=int(era),
                    ids=ids[rows],
                    targets=targets[rows],
                    features=features[rows],
                    neutralizers=neutralizers[rows],
                    blended=blended[rows],
                    outputs=[output[rows] for output in outputs],
                )

    def _load(self, window: ValidationWindow, stored: StoredResult) -> Evaluation:
        split = stored.result["scores"]
        index = pd.Index(split["index"], name="era", dtype=object)
        scores = pd.DataFrame(split["data"], index, split["columns"], dtype=np.float64)
        predictions = pd.read_parquet(io.BytesIO(stored.body))
        return Evaluation(window.name, scores, predictions, self.overlap)

    def facts(self, window: ValidationWindow, models: Sequence[TrainedModel]) -> dict[str, Any]:
        """Everything that determines the scores: the key of their checkpoint."""
        data = self.data
        files = [data.directory / META_MODEL, *benchmark_files(data.history.paths)]
        limit = {} if self.max_exposure is None else {"max exposure": self.max_exposure}
        left_out = {"eras without the benchmark": "left out"} if self.uses_benchmark else {}
        return {
            **data.facts(),
            "form": _FORM,
            **limit,
            **left_out,
            **self.blend.facts(),
            "models": [[model.target, model.seed, model.stored.sha256] for model in models],
            "scored eras": describe_eras(window.scored),
            "scored target": data.main_target,
            "neutral to": data.neutral,
            "compared with": {path.name: sha256_of(path) for path in files if path.is_file()},
            "benchmark": data.benchmark,
            "neutralize": self.neutralize,
            "versions": {
                "numerai-tools": importlib.metadata.version("numerai-tools"),
                "pandas": pd.__version__,
            },
        }


@dataclass(frozen=True)
class _PredictedRows:
    """One era with the models' outputs.

    `ids` and `targets` (the main target) have shape (rows,), `features`, `neutralizers` (of FNC)
    and `blended` (those of the transform) shape (rows, columns). `outputs` has one array with shape
    (rows,) per model.
    """

    era: int
    ids: NDArray[Any]
    targets: NDArray[np.float32]
    features: NDArray[np.int8]
    neutralizers: NDArray[np.int8]
    blended: NDArray[np.int8]
    outputs: Sequence[NDArray[np.float64]]
