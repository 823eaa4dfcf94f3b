"""The model's predictions of past eras, each made as if the era were a round."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, PythonMismatch
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.id_lookup import LABELS, IdLookup
from numerai_predict.diagnostics.validation_data import LIVE, EraRows, Validation
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.runner import preflight
from numerai_predict.runner.batch import BatchCall, InspectedModel, predict_batch
from numerai_predict.runner.container.batch_client import predict_batch_in_container
from numerai_predict.runner.container.target import ContainerImage, LocalPython, choose_target
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.pipeline import fetch_model
from numerai_predict.runner.run_log import log_step
from numerai_predict.sandbox.hide_supervisor import harden_supervisor

# Runs the model for each call in turn; the second argument says that its like was told before.
_Runner = Callable[[Iterable[BatchCall], bool], Generator[list[float], None, None]]


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

    def __init__(self, plan: DiagnosisConfig, validation: Validation, deadline: Deadline) -> None:
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
            job = self._job()
            path = fetch_model(job, self.usage.record, self._deadline, _made(folder / "model"))
            run = self._runner(job, path.resolve())
            frames = _made(folder / "frames")
            batches = self._validation.batches(self._plan.batch_bytes)
            is_first = True
            while (batch := next(batches, None)) is not None:
                yield from self._batch(run, batch, frames, is_first=is_first)
                is_first = False
                del batch  # before the next is read: one at a time is in memory

    def _runner(self, job: Job, path: Path) -> _Runner:
        """What runs the model over the calls of a batch, where it fits."""
        place = LocalPython("as asked for") if self._plan.local else choose_target(str(path))
        log_step("place", place.sentence)
        record, deadline = self.usage.record, self._deadline
        if isinstance(place, ContainerImage):
            return lambda calls, repeated: predict_batch_in_container(
                place, path, calls, job, record, deadline, repeated=repeated
            )
        model = InspectedModel(path, self._inspect(job, path, place))
        hidden = harden_supervisor()
        return lambda calls, repeated: predict_batch(
            model, calls, job, record, deadline, hidden, repeated=repeated
        )

    def _inspect(self, job: Job, path: Path, place: LocalPython) -> Inspection:
        record = self.usage.record
        try:
            inspection = preflight.inspect_model(job, record, path)
        except PythonMismatch as error:
            raise PythonMismatch(
                error.message,
                f"make the pickle with Python {RUNNING_PYTHON}, or have it diagnosed in the image "
                f"that fits it: it was run here because {place.reason}",
            ) from error
        preflight.warn_missing_columns(inspection, record, self._validation.feature_names)
        return inspection

    def _batch(
        self, run: _Runner, batch: list[EraRows], frames: Path, *, is_first: bool
    ) -> Iterator[PredictedEra]:
        """The eras of a batch, by one process; the first batch ends with its first era again."""
        every_id = [i for rows in batch for i in rows.ids.to_pylist()]
        benchmarks = self._benchmarks.rows(every_id) if self._benchmarks else pd.DataFrame()
        meta_model = self._meta_model_of(every_id)
        asked = [*batch, batch[0]] if is_first else batch
        calls = (self._call(rows, benchmarks, frames) for rows in asked)
        usage = self.usage
        first: pd.Series[float] | None = None
        with closing(run(calls, not is_first)) as answers:
            for number, (rows, values) in enumerate(zip(asked, answers, strict=False)):
                self._note_seconds()
                index = pd.Index(rows.ids.to_pylist(), name="id")
                predictions = pd.Series(np.array(values), index)
                if number == len(batch):
                    usage.repeatable = first is not None and bool(predictions.equals(first))
                    continue
                first = predictions if first is None else first
                known = benchmarks.loc[benchmarks.index.isin(index), self.benchmark_names]
                yield PredictedEra(rows, predictions, known, meta_model)
            for _ in answers:
                pass
        usage.peak_bytes = max(usage.peak_bytes, usage.record.peak_memory_bytes or 0)

    def _meta_model_of(self, ids: list[str]) -> pd.Series[float] | None:
        if self._meta_model is None:
            return None
        found: pd.Series[float] = self._meta_model.rows(ids)[self._meta_model.columns[0]]
        return found

    def _note_seconds(self) -> None:
        seconds, usage = self.usage.record.seconds, self.usage
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
            live = {name: LIVE[name] for name in LABELS if name in known and name in LIVE}
            known.assign(**live).to_parquet(beside)
            return beside

        return BatchCall(f"era {rows.era}", path, write_benchmarks)

    def _job(self) -> Job:
        plan = self._plan
        return Job(
            model=plan.model,
            dataset=str(plan.sources.validation),
            benchmarks=str(plan.sources.benchmarks or "the benchmark models"),
            output_dir=plan.output_dir,
            limits=plan.limits,
            sandbox=plan.sandbox,
            debug=plan.debug,
        )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
