"""One machine's warm worker of one Python, and the agent beside it that accepts its answers.

Ray runs a foreman as an actor. It holds no credentials; it hands models in and takes
predictions out, checked where no model could touch the check.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.pool.launch import WorkerSpec, path_in_worker
from numerai_predict.fleet.pool.worker_client import (
    WorkerClient,
    WorkerLost,
    WorkerResponse,
    WorkerStartFailed,
)
from numerai_predict.fleet.worker.messages import RunRequest
from numerai_predict.runner.live_data import read_ids
from numerai_predict.runner.predictions import Predictions
from numerai_predict.runner.protocol import MalformedFrame
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.submission_file import (
    SavedPredictions,
    save_predictions,
    validate,
)
from numerai_predict.runner.supervisor.network_attempts import attempted_hosts_in_errors
from numerai_predict.runner.supervisor.session import (
    ModelResponse,
    decode_response,
    malformed_response,
)

_MODELS_A_WORKER = 500
_MOST_GROWTH_BYTES = 512 * 1024**2
_STARTS = 3
# A user for each slot, of the numbers that distributions leave unused (60578 to 61183).
_FIRST_USER = 60_578
# Models have users of their own: they pass through to files that they are told, and list none.
_PASSED_THROUGH = 0o711

File = str | bytes


@dataclass(frozen=True)
class WorkerActorSpec:
    """Where a foreman works: the data (paths on its machine, or the bytes), slots and engine.

    `slots` are the numbers of its slots on the machine: each has a user and a processor.
    """

    place: Environment
    dataset: File
    benchmarks: File | None
    slots: tuple[int, ...]
    slot_bytes: int | None
    engine: str = "docker"
    models_a_worker: int = _MODELS_A_WORKER


@dataclass(frozen=True)
class ModelTask:
    """One model to run: its request but for the places of files, and how its name ends."""

    id: str
    request: RunRequest
    suffix: str


@dataclass(frozen=True)
class TaskResult:
    """What came of a model; `csv` where its predictions passed the checks.

    `lost` says why there is nothing, where the worker failed and not the model; `broken` that
    no worker can be started. Times are seconds since 1970 (UTC).
    """

    worker: str
    started: float
    ended: float
    record: dict[str, Any] = field(default_factory=dict)
    csv: bytes | None = None
    log: bytes = b""
    lost: str | None = None
    broken: bool = False


class WorkerActor:
    """Runs the models that it is given, as many at once as it has slots."""

    def __init__(self, posting: WorkerActorSpec) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="numerai-fleet-", ignore_cleanup_errors=True
        )
        root = Path(self._folder.name)
        for folder in (root, root / "files"):
            folder.mkdir(exist_ok=True)
            folder.chmod(_PASSED_THROUGH)
        (root / "out").mkdir(mode=0o700)
        files = root / "files"
        dataset = _put(posting.dataset, files / "live.parquet")
        benchmarks = None
        if posting.benchmarks is not None:
            benchmarks = _put(posting.benchmarks, files / "benchmarks.parquet")
        self._posting = posting
        self._out = root / "out"
        self._site = WorkerSpec(
            posting.place,
            files,
            dataset,
            benchmarks,
            len(posting.slots),
            posting.slot_bytes,
            posting.engine,
        )
        self._live_ids = read_ids(dataset, "the live data")
        self._free = list(posting.slots)
        self._lock, self._checking = threading.Lock(), threading.Lock()
        self._worker: WorkerClient | None = None
        self._retired: list[WorkerClient] = []

    def prepare(self) -> dict[str, Any]:
        """Start the worker; what it says of itself.

        Raises:
            WorkerBroken: it cannot be started here.
        """
        return {**self._current().facts, "process": os.getpid()}

    def run(self, task: ModelTask, model: File) -> TaskResult:
        """Run a model and check its predictions; no failure is raised."""
        started = time.time()
        name = ""
        try:
            with self._slot() as slot, self._model_file(task, model) as path:
                worker = self._current()
                name = worker.name
                reply = worker.run(self._request(task, path, slot))
            record, csv = self._accepted(reply)
            self._close_retired()
            return TaskResult(name, started, time.time(), asdict(record), csv, reply.log)
        except WorkerLost as lost:
            return TaskResult(name, started, time.time(), lost=str(lost))
        except WorkerStartFailed as broken:
            return TaskResult(name, started, time.time(), lost=str(broken), broken=True)

    def close(self) -> None:
        """End the worker and remove every file."""
        for worker in [*self._retired, *([self._worker] if self._worker else [])]:
            worker.close()
        self._folder.cleanup()

    def _request(self, task: ModelTask, path: Path, slot: int) -> RunRequest:
        processors = sorted(os.sched_getaffinity(0))
        return replace(
            task.request,
            model=path_in_worker(self._site, path),
            user=_FIRST_USER + slot,
            cpu=processors[slot % len(processors)],
        )

    @contextmanager
    def _slot(self) -> Iterator[int]:
        with self._lock:
            slot = self._free.pop(0)
        try:
            yield slot
        finally:
            with self._lock:
                self._free.append(slot)

    @contextmanager
    def _model_file(self, task: ModelTask, model: File) -> Iterator[Path]:
        path = self._site.folder / f"{os.urandom(8).hex()}{task.suffix}"
        try:
            yield _put(model, path)
        finally:
            path.unlink(missing_ok=True)

    def _current(self) -> WorkerClient:
        """The worker; a new one where it is dead, worn or has grown."""
        with self._lock:
            if self._worker is None or not self._is_fit(self._worker):
                if self._worker is not None:
                    self._retired.append(self._worker)
                    self._worker = None
                self._worker = self._started()
            return self._worker

    def _is_fit(self, worker: WorkerClient) -> bool:
        grown = worker.bytes_now - worker.bytes > _MOST_GROWTH_BYTES
        return worker.alive and worker.ran < self._posting.models_a_worker and not grown

    def _started(self) -> WorkerClient:
        for left in reversed(range(_STARTS)):
            try:
                return WorkerClient(self._site)
            except WorkerLost as lost:
                if not left:
                    raise WorkerStartFailed(f"no worker of {self._posting.place}: {lost}") from lost
        raise AssertionError

    def _close_retired(self) -> None:
        with self._lock:
            done = [worker for worker in self._retired if not worker.running]
            self._retired = [worker for worker in self._retired if worker.running]
        for worker in done:
            worker.close()

    def _accepted(self, reply: WorkerResponse) -> tuple[Record, bytes | None]:
        """The record, and the predictions as a CSV where they are valid."""
        record = RecordBuilder.resume(Record.from_dict(reply.record))
        if reply.answer is None:
            return record.build(), None
        try:
            with self._checking:
                saved = self._saved(reply, record)
        except RunError as error:
            record.fail(error)
            return record.build(), None
        csv = saved.path.read_bytes()
        saved.path.unlink()
        record.set_predictions_file(None, saved.sha256)
        record.conclude(Verdict.OK, "predicted")
        return record.build(), csv

    def _saved(self, reply: WorkerResponse, record: RecordBuilder) -> SavedPredictions:
        with attempted_hosts_in_errors(lambda: reply.attempts):
            predictions = self._decoded(reply, record.build().peak_memory_bytes or 0)
            with record.timed(Step.CHECK):
                validated = validate(predictions)
        record.set_predictions(validated)
        with record.timed(Step.DELIVER):
            return save_predictions(self._out, validated)

    def _decoded(self, reply: WorkerResponse, peak_bytes: int) -> Predictions:
        response = ModelResponse(reply.answer or {}, reply.payload, 0.0)
        try:
            return decode_response(response, self._live_ids)
        except MalformedFrame as malformed:
            raise malformed_response(malformed, peak_bytes) from malformed


def _put(file: File, path: Path) -> Path:
    """The bytes, or the file that the path names, at that place."""
    if isinstance(file, bytes):
        path.write_bytes(file)
    else:
        source = Path(file).resolve()
        with contextlib.suppress(OSError):
            os.link(source, path)
            return path
        shutil.copyfile(source, path)
    path.chmod(0o644)
    return path
