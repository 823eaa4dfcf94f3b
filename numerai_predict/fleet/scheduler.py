"""The scheduler: prepares models, assigns them to workers, and stores their results."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.error_mapping import run_error_of
from numerai_predict.contract.errors import ModelCrashed
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.data_watch import DataWatch
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.pool.actor import ModelTask
from numerai_predict.fleet.pool.ray_cluster import RayCluster
from numerai_predict.fleet.pool.worker_pool import ModelFinished, ModelLost, PoolEvent, WorkerPool
from numerai_predict.fleet.preparation import PreparationFailure, PreparedModel, preparer_of
from numerai_predict.fleet.results import ResultStore, logged_failure
from numerai_predict.fleet.worker.messages import RunRequest
from numerai_predict.fleet.worker_group import WorkerClass, WorkerGroup

_POLL_SECONDS = 0.1


class Scheduler:
    """Runs the models of a fleet run that have not ended."""

    def __init__(
        self,
        config: FleetConfig,
        ledger: FleetLedger,
        cluster: RayCluster,
        data: LiveData,
        environments: list[Environment],
        deadline: Deadline,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._data = data
        self._deadline = deadline
        self._watch = DataWatch(data.watched)
        self._preparer = preparer_of(config, data, environments, deadline)
        self._pool = WorkerPool(cluster, config, data)
        self._results = ResultStore(config, ledger, data, deadline)
        self._unprepared: deque[ManifestEntry] = deque()
        self._prepared: dict[WorkerClass, deque[PreparedModel]] = {}
        self._running: dict[str, PreparedModel] = {}
        self._losses: Counter[str] = Counter()

    def run(self, entries: Iterable[ManifestEntry], on_progress: Callable[[int], None]) -> bool:
        """Run the models; whether all ended before the deadline.

        `on_progress` is called in each cycle, with the number of models that run.

        Raises:
            FleetError: workers cannot be started, or the data changed.
        """
        self._unprepared.extend(entries)
        try:
            while self._has_pending():
                if self._deadline.remaining() <= 0:
                    return False
                self._watch.check()
                self._handle(self._pool.refresh())
                self._prepare_next()
                self._pool.scale(self._waiting())
                self._assign()
                self._handle(self._pool.poll(_POLL_SECONDS))
                self._results.sync_deliveries()
                with logged_failure("to show the progress"):
                    on_progress(len(self._running))
            self._watch.check(last=True)
            return True
        finally:
            self._close()

    def resume_deliveries(self, entries: list[ManifestEntry]) -> list[ManifestEntry]:
        """Deliver predictions of an earlier fleet run; returns the models that have none."""
        return self._results.resume_deliveries(entries)

    def _has_pending(self) -> bool:
        queued = self._unprepared or self._waiting()
        return bool(queued or len(self._preparer) or self._running or len(self._results))

    def _waiting(self) -> Counter[WorkerClass]:
        """How many prepared models wait for each worker class."""
        return Counter({each: len(queue) for each, queue in self._prepared.items() if queue})

    def _prepare_next(self) -> None:
        ahead = len(self._preparer) + self._waiting().total()
        while self._unprepared and ahead < self._config.models_ahead:
            self._preparer.submit(self._unprepared.popleft())
            ahead += 1
        for result in self._preparer.take_completed():
            if isinstance(result, PreparationFailure):
                self._results.store_failure(result.entry, result.record)
            else:
                environment = str(result.environment)
                self._results.note(result.entry.id, ModelState.INSPECTED, place=environment)
                self._queue_of(result).append(result)

    def _queue_of(self, model: PreparedModel) -> deque[PreparedModel]:
        limit = model.entry.limits.memory_bytes
        worker_class = self._pool.worker_class(model.environment, limit)
        return self._prepared.setdefault(worker_class, deque())

    def _assign(self) -> None:
        for group in self._pool.groups:
            queue = self._prepared.get(group.worker_class)
            while queue and group.free_slots > 0:
                self._start(group, queue.popleft())

    def _start(self, group: WorkerGroup, model: PreparedModel) -> None:
        sha256 = model.record.model.sha256
        task = ModelTask(model.entry.id, self._request(model), model.path.suffix, sha256)
        try:
            worker = self._pool.submit(group, task, model.path)
        except Exception as error:  # whatever it is, it is of this model alone
            model.discard_files()
            record = model.record.failed(run_error_of(error))
            self._results.store_failure(model.entry, record, model.environment)
            return
        self._running[model.entry.id] = model
        self._results.note(model.entry.id, ModelState.RUNNING, worker=worker)

    def _request(self, model: PreparedModel) -> RunRequest:
        limits = model.entry.limits
        return RunRequest(
            model="",
            source=model.record.model.source or "",
            dataset_source=self._data.facts.source or "",
            benchmarks_source=self._data.benchmark_facts.source or "",
            memory_bytes=limits.memory_bytes,
            seconds=limits.seconds,
            sandbox=self._config.sandbox.value,
            user=0,
            no_benchmarks=self._data.no_benchmarks,
            seconds_left=self._deadline.left(),
            debug=self._config.debug,
            hosted=self._config.hosted,
            acceleration=self._config.acceleration,
        )

    def _handle(self, events: Iterable[PoolEvent]) -> None:
        for event in events:
            model = self._running.pop(event.model_id)
            if isinstance(event, ModelFinished):
                model.discard_files()
                self._results.store_result(model, event.result)
            else:
                self._retry_or_fail(model, event)

    def _retry_or_fail(self, model: PreparedModel, lost: ModelLost) -> None:
        """Queue a lost model again, unless it lost many workers: it may be what crashes them."""
        self._results.note(lost.model_id, ModelState.LOST, lost.reason)
        crashes = self._count_losses(lost.model_id)
        if crashes >= self._config.retries.worker_crashes:
            error = ModelCrashed(
                f"{crashes} workers crashed while running this model; last error: {lost.reason}",
                "check the node's memory and system log; run the model alone: numerai-predict run",
            )
            record = model.record.failed(error)
            model.discard_files()
            self._results.store_failure(model.entry, record, model.environment)
            return
        self._results.note(lost.model_id, ModelState.QUEUED, lost.reason)
        self._queue_of(model).appendleft(model)

    def _count_losses(self, model_id: str) -> int:
        """How many workers crashed while they ran the model, also where the ledger is damaged."""
        self._losses[model_id] += 1
        with logged_failure(f"to read the events of {model_id}"):
            return max(self._losses[model_id], self._ledger.count_losses(model_id))
        return self._losses[model_id]

    def _close(self) -> None:
        self._results.close()
        self._preparer.close()
        self._pool.close()
