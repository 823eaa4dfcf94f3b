"""The model's predictions of past eras, each made as if the era were a round."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, PythonMismatch
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.contract.record import Record
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.id_lookup import LABEL_COLUMNS, IdLookup
from numerai_predict.diagnostics.validation_data import LIVE_VALUES, EraRows, ValidationData
from numerai_predict.runner import preflight
from numerai_predict.runner.batch import Batch, BatchCall, LocalBatch
from numerai_predict.runner.container.batch_client import ContainerBatch
from numerai_predict.runner.container.target import ContainerImage, LocalPython, choose_target
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.fetching import FetchedFile, fetch_model
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.supervisor.session import InspectedModel
from numerai_predict.sandbox.hide_supervisor import harden_supervisor

# Opens a batch of calls; the argument is whether a batch of the same model ran before.
_OpenBatch = Callable[[bool], Batch]


@dataclass(frozen=True)
class PredictedEra:
    """An era, the model's predictions of it by id, and those of others.

    `benchmarks` has a column for each benchmark model, and no more; `meta_model` is `None` where
    there is no file of it. Neither need know every id.
    """

    rows: EraRows
    predictions: pd.Series[float]
    benchmarks: pd.DataFrame
    meta_model: pd.Series[float] | None


@dataclass
class Usage:
    """What the model used: memory at its peak, its slowest call, loading it, in bytes and seconds.

    `repeatable` tells whether the first era, predicted again after others, gave the same to the
    last bit: it may not where a model remembers what it saw, or throws dice.
    """

    peak_bytes: int = 0
    slowest_seconds: float = 0.0
    load_seconds: float = 0.0
    repeatable: bool = True
    record: Record = field(default_factory=lambda: Record(environment=current_environment()))


class Predictor:
    """Runs the model over all eras; `usage` is filled in as it goes on."""

    def __init__(
        self, plan: DiagnosisConfig, validation: ValidationData, deadline: Deadline
    ) -> None:
        self._plan = plan
        self._validation = validation
        self._deadline = deadline
        benchmarks, meta_model = plan.sources.benchmarks, plan.sources.meta_model
        self._benchmarks = None if benchmarks is None else IdLookup(benchmarks)
        self._meta_model = None if meta_model is None else IdLookup(meta_model)
        self.benchmark_names = self._benchmarks.columns if self._benchmarks else []
        self.usage = Usage()

    def eras(self) -> Generator[PredictedEra, None, None]:
        """Every era in turn. A process predicts a batch: what a model hoards ends with it.

        Raises:
            RunError: the model cannot be run, or failed; the message names the era.
        """
        with tempfile.TemporaryDirectory(prefix="numerai-eras-") as name:
            folder = Path(name)
            directory = _make_directory(folder / "model")
            fetched = fetch_model(self._plan.model, self._deadline, directory)
            frames = _make_directory(folder / "frames")
            open_batch = self._batch_opener(fetched.path.resolve(), frames)
            batches = self._validation.batches(self._plan.batch_bytes)
            is_first = True
            while (batch := next(batches, None)) is not None:
                yield from self._batch(
                    open_batch(not is_first), fetched, batch, frames, is_first=is_first
                )
                is_first = False
                del batch  # before the next is read: one at a time is in memory

    def _batch_opener(self, path: Path, frames: Path) -> _OpenBatch:
        """Opens batches of the model where it fits."""
        place = LocalPython("as asked for") if self._plan.local else choose_target(str(path))
        log_step("place", place.announcement)
        call, deadline = self._model_call(), self._deadline
        if isinstance(place, ContainerImage):
            return lambda repeated: ContainerBatch(
                place, path, frames, call, deadline, repeated=repeated
            )
        model = self._inspect(call, path, place)
        hidden = harden_supervisor()
        return lambda repeated: LocalBatch(model, frames, call, deadline, hidden, repeated=repeated)

    def _inspect(self, call: ModelCall, path: Path, place: LocalPython) -> InspectedModel:
        inspection = preflight.inspect_model(path)
        try:
            warnings = preflight.check_compatibility(inspection, call.labels)
        except PythonMismatch as error:
            raise PythonMismatch(
                error.message,
                f"make the pickle with Python {RUNNING_PYTHON}, or have it diagnosed in the image "
                f"that fits it: it was run here because {place.reason}",
            ) from error
        warnings += preflight.check_columns(inspection, self._validation.feature_names)
        return InspectedModel(path, inspection, tuple(warnings))

    def _batch(
        self,
        opened: Batch,
        fetched: FetchedFile,
        batch: list[EraRows],
        frames: Path,
        *,
        is_first: bool,
    ) -> Iterator[PredictedEra]:
        """The eras of a batch, by one process; the first batch ends with its first era again."""
        every_id = [i for rows in batch for i in rows.ids.to_pylist()]
        benchmarks = self._benchmarks.rows(every_id) if self._benchmarks else pd.DataFrame()
        meta_model = self._meta_model_of(every_id)
        asked = [*batch, batch[0]] if is_first else batch
        first: pd.Series[float] | None = None
        with opened:
            for number, rows in enumerate(asked):
                values = opened.predict(self._call(rows, benchmarks, frames))
                self._note_seconds(opened.record)
                index = pd.Index(rows.ids.to_pylist(), name="id")
                predictions = pd.Series(np.array(values), index)
                if number == len(batch):
                    repeatable = first is not None and bool(predictions.equals(first))
                    self.usage.repeatable = repeatable
                    continue
                first = predictions if first is None else first
                known = benchmarks.loc[benchmarks.index.isin(index), self.benchmark_names]
                yield PredictedEra(rows, predictions, known, meta_model)
        record = RecordBuilder.resume(opened.record)
        record.set_model_file(fetched)
        self.usage.record = record.build()
        peak = self.usage.record.peak_memory_bytes or 0
        self.usage.peak_bytes = max(self.usage.peak_bytes, peak)

    def _meta_model_of(self, ids: list[str]) -> pd.Series[float] | None:
        if self._meta_model is None:
            return None
        found: pd.Series[float] = self._meta_model.rows(ids)[self._meta_model.columns[0]]
        return found

    def _note_seconds(self, record: Record) -> None:
        seconds, usage = record.seconds, self.usage
        usage.slowest_seconds = max(usage.slowest_seconds, seconds.predict or 0.0)
        usage.load_seconds = max(usage.load_seconds, seconds.load or 0.0)

    def _call(self, rows: EraRows, benchmarks: pd.DataFrame, frames: Path) -> BatchCall:
        path = frames / "live.parquet"
        self._validation.write_as_live(rows, path)

        def write_benchmarks() -> Path:
            known = benchmarks[benchmarks.index.isin(rows.ids.to_pylist())]
            if known.empty:
                raise DatasetUnavailable(
                    f"expected benchmark models of era {rows.era} for a model that takes them, "
                    f"found none in {self._plan.sources.benchmarks or 'any file'}",
                    "get them with `numerai-predict data get validation_benchmark_models`, name "
                    "them by --benchmarks, or choose eras that they have with --eras",
                )
            beside = frames / "benchmarks.parquet"
            live = {
                name: LIVE_VALUES[name]
                for name in LABEL_COLUMNS
                if name in known and name in LIVE_VALUES
            }
            known.assign(**live).to_parquet(beside)
            return beside

        return BatchCall(f"era {rows.era}", path, write_benchmarks)

    def _model_call(self) -> ModelCall:
        plan = self._plan
        labels = SourceLabels(redact(plan.model), str(plan.sources.validation))
        if plan.sources.benchmarks is not None:
            labels = replace(labels, benchmarks=str(plan.sources.benchmarks))
        return ModelCall(labels, plan.limits, plan.sandbox, plan.debug)


def _make_directory(folder: Path) -> Path:
    folder.mkdir()
    return folder
