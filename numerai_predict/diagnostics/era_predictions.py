"""The model's predictions of past eras, each era predicted as if it were a round's live data."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from numerai_predict.contract.counting import counted
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, InvalidPredictions
from numerai_predict.contract.record import Record
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.era_batches import batch_opener
from numerai_predict.diagnostics.id_lookup import LABEL_COLUMNS, IdLookup
from numerai_predict.diagnostics.model_usage import ModelUsage, UsageRecorder
from numerai_predict.diagnostics.validation_data import LIVE_VALUES, EraRows, ValidationData
from numerai_predict.runner.batch import Batch, BatchCall
from numerai_predict.runner.bundle_check import check_pickle
from numerai_predict.runner.bundle_data import ModelInput, check_data
from numerai_predict.runner.fetching import FetchedFile, fetch_model
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.validation.submission_rules import are_equal
from numerai_predict.storage.files import resolve_links


@dataclass(frozen=True)
class PredictedEra:
    """An era with the model's predictions and the predictions to compare them with, by id.

    `predictions` is float64 with shape (rows,). `benchmarks` has one column per benchmark model;
    `meta_model` is `None` without a file of it. Both may lack ids of the era.
    """

    rows: EraRows
    predictions: pd.Series[float]
    benchmarks: pd.DataFrame
    meta_model: pd.Series[float] | None


class EraPredictor:
    """Runs the model over all eras. `usage` is complete once all eras were consumed.

    `equal_eras` are those so far whose predictions are all equal: they have no score.
    """

    def __init__(
        self, config: DiagnosisConfig, validation: ValidationData, deadline: Deadline
    ) -> None:
        self._config = config
        self._validation = validation
        self._deadline = deadline
        benchmarks, meta_model = config.files.benchmarks, config.files.meta_model
        self._benchmarks = None if benchmarks is None else IdLookup(benchmarks)
        self._meta_model = None if meta_model is None else IdLookup(meta_model)
        self.benchmark_names = self._benchmarks.columns if self._benchmarks else []
        self._usage = UsageRecorder()
        self.equal_eras: list[str] = []

    @property
    def usage(self) -> ModelUsage:
        """What the model used in the batches so far."""
        return self._usage.result()

    def eras(self) -> Generator[PredictedEra, None, None]:
        """Yield every era in turn, one model process per batch of eras.

        A new process per batch bounds the memory that a model accumulates.

        Raises:
            RunError: the model cannot run, or failed; the message names the era. Also if the
                predictions of each era are all equal.
        """
        with temporary_directory("numerai-eras-") as name:
            directory = _make_directory(Path(name) / "model")
            fetched = fetch_model(self._config.model, self._deadline, directory)
            bundle = check_pickle(self._config.model, fetched.sha256)
            frames = _make_directory(Path(name) / "frames")
            features = self._validation.feature_names
            warnings = check_data(bundle, self._input(features))
            open_batch = batch_opener(
                self._config, bundle, resolve_links(fetched.path), frames, features, self._deadline
            )
            batches = self._validation.batches(self._config.batch_bytes)
            repeated = False
            while (eras := next(batches, None)) is not None:
                batch = open_batch(repeated)
                yield from self._predict_batch(batch, eras, frames, check_repeatable=not repeated)
                self._usage.add_batch(_with_model_file(batch.record, fetched, warnings))
                repeated = True
                del eras  # release it before the next batch is read
            self._require_different_predictions()

    def _require_different_predictions(self) -> None:
        if len(self.equal_eras) == len(self._validation.eras):
            raise InvalidPredictions(
                "expected predictions that differ, found the same value in every row of each of "
                f"{counted(len(self.equal_eras), 'era')}",
                "find out why all rows look the same to the model: constant inputs, or an "
                "untrained model",
            )

    def _input(self, features: Collection[str]) -> ModelInput:
        allowed = self._config.allow_version_mismatch
        source = str(self._config.files.validation)
        return ModelInput(source, frozenset(features), allow_mismatch=allowed)

    def _predict_batch(
        self, batch: Batch, eras: list[EraRows], frames: Path, *, check_repeatable: bool
    ) -> Iterator[PredictedEra]:
        """The eras of a batch; `check_repeatable` predicts the first era once more at the end."""
        ids = [each for rows in eras for each in rows.ids.to_pylist()]
        benchmarks = self._benchmarks.rows(ids) if self._benchmarks else pd.DataFrame()
        meta_model = self._meta_model_rows(ids)
        first: pd.Series[float] | None = None
        with batch:
            for rows in eras:
                predictions = self._predict_era(batch, rows, benchmarks, frames)
                first = predictions if first is None else first
                known = benchmarks.index.isin(predictions.index)
                yield PredictedEra(
                    rows, predictions, benchmarks.loc[known, self.benchmark_names], meta_model
                )
            if check_repeatable:
                again = self._predict_era(batch, eras[0], benchmarks, frames)
                self._usage.set_repeatable(first is not None and bool(again.equals(first)))

    def _predict_era(
        self, batch: Batch, rows: EraRows, benchmarks: pd.DataFrame, frames: Path
    ) -> pd.Series[float]:
        values = batch.predict(self._batch_call(rows, benchmarks, frames))
        self._usage.add_call(batch.record)
        index = pd.Index(rows.ids.to_pylist(), name="id")
        if are_equal(values):
            if rows.era not in self.equal_eras:
                self.equal_eras.append(rows.era)
            return pd.Series(values[0], index, dtype=np.float64)
        return pd.Series(np.array(values), index)

    def _meta_model_rows(self, ids: list[str]) -> pd.Series[float] | None:
        if self._meta_model is None:
            return None
        column: pd.Series[float] = self._meta_model.rows(ids)[self._meta_model.columns[0]]
        return column

    def _batch_call(self, rows: EraRows, benchmarks: pd.DataFrame, frames: Path) -> BatchCall:
        path = frames / "live.parquet"
        self._validation.write_as_live(rows, path)

        def write_benchmarks() -> Path:
            known = benchmarks[benchmarks.index.isin(rows.ids.to_pylist())]
            if known.empty:
                raise self._no_benchmarks(rows.era)
            labels = {
                name: LIVE_VALUES[name]
                for name in LABEL_COLUMNS
                if name in known and name in LIVE_VALUES
            }
            known.assign(**labels).to_parquet(frames / "benchmarks.parquet")
            return frames / "benchmarks.parquet"

        return BatchCall(f"era {rows.era}", path, write_benchmarks, equal_allowed=True)

    def _no_benchmarks(self, era: str) -> DatasetUnavailable:
        return DatasetUnavailable(
            f"expected benchmark models of era {era} for a model that takes them, found none in "
            f"{self._config.files.benchmarks or 'any file'}",
            "get them with `numerai-predict data get validation_benchmark_models`, name the file "
            "with --benchmarks, or choose eras that the file has with --eras",
        )


def _with_model_file(record: Record, fetched: FetchedFile, warnings: list[str]) -> Record:
    builder = RecordBuilder.resume(record)
    builder.add_warnings(warnings)
    builder.set_model_file(fetched)
    return builder.build()


def _make_directory(path: Path) -> Path:
    path.mkdir()
    return path
