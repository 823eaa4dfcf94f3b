"""The worker actor: owns one worker on a node, and has its responses validated.

Ray runs it on the node. It holds no credentials. Predictions are validated by processes of its
own, which no model can reach, and never in this one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import ModelUnavailable
from numerai_predict.contract.record import Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.node_files import NodeFile, unchanged, write_node_file
from numerai_predict.fleet.pool.launch import WorkerSpec, path_in_worker
from numerai_predict.fleet.pool.response_validation import Validated, ValidationRequest
from numerai_predict.fleet.pool.response_validator import Validator
from numerai_predict.fleet.pool.worker_client import (
    WorkerClient,
    WorkerLost,
    WorkerResponse,
    WorkerStartFailed,
)
from numerai_predict.fleet.temporary_directory import FleetDirectory
from numerai_predict.fleet.worker.messages import RunRequest
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.live_data import read_ids
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.supervisor.time_limit import MAX_RESPONSE_SECONDS

# Each slot has a user of its own, from the ids that distributions leave unused (60578 to 61183).
_FIRST_USER = 60_578
# Users of models may pass through these directories to files whose path they know, not list them.
_TRAVERSE_ONLY = 0o711


@dataclass(frozen=True)
class WorkerActorSpec:
    """What a worker actor needs to start its worker.

    Attributes:
        environment: the Python that runs the models.
        dataset: the live data, as a path on the actor's node or as bytes.
        benchmarks: the benchmark models' predictions, in the same way; `None` for none.
        slots: numbers of the actor's slots on the node; each has its own user and CPU.
        slot_bytes: memory of a slot, `None` for no limit.
        engine: command of the container engine.
        models_per_worker: the worker is replaced after this many models.
        max_growth_bytes: the worker is replaced when its memory grew by more.
        start_attempts: how often the actor tries to start a worker.
        response_seconds: what may be spent on checking the response of a model.
        sandbox: isolation of the models.
    """

    environment: Environment
    dataset: NodeFile
    benchmarks: NodeFile | None
    slots: tuple[int, ...]
    slot_bytes: int | None
    engine: str = "docker"
    models_per_worker: int = 500
    max_growth_bytes: int = 512 * 1024**2
    start_attempts: int = 3
    response_seconds: float = MAX_RESPONSE_SECONDS
    sandbox: Sandbox = Sandbox.AUTO


@dataclass(frozen=True)
class ModelTask:
    """A model to run: its request, whose path and user the actor sets, and its file's suffix.

    `sha256` is the hash that the file must have; `None` for any.
    """

    id: str
    request: RunRequest
    suffix: str
    sha256: str | None = None


@dataclass(frozen=True)
class TaskResult:
    """The result of a model; `csv` is `None` if it has no valid predictions.

    `started` and `ended` are in seconds since 1970 (UTC).
    """

    worker: str
    started: float
    ended: float
    record: dict[str, Any]
    csv: bytes | None
    log: bytes


@dataclass(frozen=True)
class TaskLost:
    """The worker, or its supervisor of the model, crashed; `worker` is empty if none started."""

    worker: str
    reason: str


@dataclass(frozen=True)
class WorkerReady:
    """The worker has started; `facts` describe it, `process` is the id of the actor's process."""

    facts: Mapping[str, Any]
    process: int


@dataclass(frozen=True)
class WorkerUnavailable:
    """No worker of this environment can be started on this node."""

    reason: str


class WorkerActor:
    """Runs models in its worker, as many at once as it has slots."""

    def __init__(self, spec: WorkerActorSpec) -> None:
        self._directory = FleetDirectory()
        root = self._directory.path
        files = root / "files"
        for directory in (root, files):
            directory.mkdir(exist_ok=True)
            directory.chmod(_TRAVERSE_ONLY)
        out = root / "out"
        out.mkdir(mode=0o700)
        self._spec = spec
        self._worker_spec = _worker_spec(spec, files)
        live_ids = read_ids(self._worker_spec.dataset, "the live data")
        self._validator = Validator(live_ids, out, spec.response_seconds)
        self._free_slots = list(spec.slots)
        self._lock = threading.Lock()
        self._worker: WorkerClient | None = None
        self._retired: list[WorkerClient] = []

    def prepare(self) -> WorkerReady | WorkerUnavailable:
        """Start the worker."""
        try:
            return WorkerReady(self._current_worker().facts, os.getpid())
        except WorkerStartFailed as failure:
            return WorkerUnavailable(str(failure))

    def run(self, task: ModelTask, model: NodeFile) -> TaskResult | TaskLost | WorkerUnavailable:
        """Run a model and validate its predictions."""
        started, worker_name = time.time(), ""
        try:
            with (
                self._slot() as slot,
                self._model_file(task, model) as path,
                unchanged(path, task.sha256),
            ):
                worker = self._current_worker()
                worker_name = worker.name
                response = worker.run(self._request(task, path, slot))
            validated, log = self._validated(task, response)
            self._close_retired()
            record = asdict(validated.record)
            return TaskResult(worker_name, started, time.time(), record, validated.csv, log)
        except ModelUnavailable as error:
            builder = RecordBuilder(current_environment())
            builder.fail(error)
            failed = asdict(builder.build())
            return TaskResult(worker_name, started, time.time(), failed, None, b"")
        except WorkerLost as lost:
            return TaskLost(worker_name, str(lost))
        except WorkerStartFailed as failure:
            return WorkerUnavailable(str(failure))

    def close(self) -> None:
        """Stop the worker and remove all files."""
        for worker in [*self._retired, *([self._worker] if self._worker else [])]:
            worker.close()
        self._validator.close()
        self._directory.close()

    def _request(self, task: ModelTask, path: Path, slot: int) -> RunRequest:
        cpus = sorted(os.sched_getaffinity(0))
        return replace(
            task.request,
            model=path_in_worker(self._worker_spec, path),
            user=_FIRST_USER + slot,
            cpu=cpus[slot % len(cpus)],
        )

    @contextmanager
    def _slot(self) -> Iterator[int]:
        with self._lock:
            slot = self._free_slots.pop(0)
        try:
            yield slot
        finally:
            with self._lock:
                self._free_slots.append(slot)

    @contextmanager
    def _model_file(self, task: ModelTask, model: NodeFile) -> Iterator[Path]:
        path = self._worker_spec.folder / f"{os.urandom(8).hex()}{task.suffix}"
        try:
            yield write_node_file(model, path)
        finally:
            path.unlink(missing_ok=True)

    def _current_worker(self) -> WorkerClient:
        """The worker; a new one if it crashed, ran its share of models, or its memory grew."""
        with self._lock:
            if self._worker is None or not self._is_usable(self._worker):
                if self._worker is not None:
                    self._retired.append(self._worker)
                    self._worker = None
                self._worker = self._start_worker()
            return self._worker

    def _is_usable(self, worker: WorkerClient) -> bool:
        return (
            worker.is_alive
            and worker.models_run < self._spec.models_per_worker
            and worker.growth_bytes <= self._spec.max_growth_bytes
        )

    def _start_worker(self) -> WorkerClient:
        for attempts_left in reversed(range(self._spec.start_attempts)):
            try:
                return WorkerClient(self._worker_spec)
            except WorkerLost as lost:
                if not attempts_left:
                    raise WorkerStartFailed(
                        f"no worker of {self._spec.environment} could be started: {lost}"
                    ) from lost
        raise AssertionError

    def _close_retired(self) -> None:
        with self._lock:
            idle = [worker for worker in self._retired if not worker.running]
            self._retired = [worker for worker in self._retired if worker.running]
        for worker in idle:
            worker.close()

    def _validated(self, task: ModelTask, response: WorkerResponse) -> tuple[Validated, bytes]:
        """The validated result of a response, and the log of the run."""
        result = response.result
        if result.predicted is None:
            return Validated(Record.from_dict(dict(result.record)), None), response.log
        request = ValidationRequest(
            result.record, result.predicted, result.attempted_hosts, task.request.hosted
        )
        validated, log = self._validator.validate(request, response.payload)
        return validated, response.log + log


def _worker_spec(spec: WorkerActorSpec, files: Path) -> WorkerSpec:
    """The worker's specification, after the data was written into its directory of files."""
    benchmarks = None
    if spec.benchmarks is not None:
        benchmarks = write_node_file(spec.benchmarks, files / "benchmarks.parquet")
    return WorkerSpec(
        spec.environment,
        files,
        write_node_file(spec.dataset, files / "live.parquet"),
        benchmarks,
        len(spec.slots),
        spec.slot_bytes,
        spec.engine,
        spec.sandbox,
    )
