"""A round, from its queue to its last delivery: the agent's own loop."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import ModelCrashed
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.placement import (
    NodeCapacity,
    WorkerClass,
    WorkerGroup,
    next_placement,
    releasable_groups,
)
from numerai_predict.fleet.pool.actor import ModelTask, TaskResult, WorkerActorSpec
from numerai_predict.fleet.pool.ray_cluster import Node, RayCluster
from numerai_predict.fleet.preparation import PreparedModel, Preparer
from numerai_predict.fleet.results import ResultStore
from numerai_predict.fleet.worker.messages import RunRequest
from numerai_predict.resources.memory import trim_heap

_TICK_SECONDS = 0.1
_AHEAD = 64
_LOOK_SECONDS = 2.0
_MOST_LOST = 6


class NoCapacity(Exception):
    """Workers cannot be started, or nowhere is room for one; the message says why."""


class Scheduler:
    """Runs the models of a round that have not ended.

    `look` is called now and then, for a display.
    """

    def __init__(
        self,
        orders: FleetConfig,
        ledger: FleetLedger,
        cluster: RayCluster,
        data: LiveData,
        places: list[Environment],
        deadline: Deadline,
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._cluster = cluster
        self._data = data
        self._deadline = deadline
        self._intake = Preparer(orders, places, deadline)
        self._endings = ResultStore(orders, ledger, data, deadline)
        self._ready: dict[WorkerClass, deque[PreparedModel]] = {}
        self._out: dict[str, PreparedModel] = {}
        self._crews: list[WorkerGroup] = []
        self._starting: dict[Any, WorkerGroup] = {}
        self._capacities: dict[str, NodeCapacity] = {}
        self._here: set[str] = set()
        self._machines: dict[str, Node] = {}
        self._barred: set[tuple[str, Environment]] = set()
        self._looked = 0.0

    def run(self, entries: deque[ManifestEntry], look: Callable[[int], None]) -> bool:
        """Go on until all have ended; whether they have: the deadline may come first.

        Raises:
            NoWorker: workers cannot be started.
        """
        try:
            while entries or self._has_pending():
                if self._deadline.remaining() <= 0:
                    return False
                self._refresh()
                self._prepare_next(entries)
                self._start_workers()
                self._assign()
                self._collect_results()
                self._endings.sync_deliveries()
                look(len(self._out))
            return True
        finally:
            self._close()

    def resume_deliveries(self, entries: list[ManifestEntry]) -> list[ManifestEntry]:
        """Hand the predictions that lie there to the courier; the entries that have none."""
        return self._endings.resume_deliveries(entries)

    def _has_pending(self) -> bool:
        return bool(len(self._intake) or self._out or len(self._endings) or self._waiting())

    def _waiting(self) -> Counter[WorkerClass]:
        return Counter({kind: len(queue) for kind, queue in self._ready.items() if queue})

    def _refresh(self) -> None:
        """What need not be done at each turn."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        trim_heap()  # every model leaves crumbs, in the heap of Ray as well
        self._refresh_nodes()

    def _refresh_nodes(self) -> None:
        machines = self._cluster.nodes()
        self._capacities = {
            each.id: NodeCapacity(each.cpus, each.memory_bytes) for each in machines
        }
        self._here = {each.id for each in machines if each.is_here}
        self._machines = {each.id: each for each in machines}
        for crew in [crew for crew in self._crews if crew.machine not in self._machines]:
            self._remove_group(crew, "its machine is gone")

    def _prepare_next(self, entries: deque[ManifestEntry]) -> None:
        ahead = len(self._intake) + self._waiting().total()
        while entries and ahead < _AHEAD:
            self._intake.begin(entries.popleft())
            ahead += 1
        for ready in self._intake.finished():
            if ready.place is None:
                self._endings.store_failure(ready)
                continue
            self._ledger.record_event(ready.entry.id, ModelState.INSPECTED, place=str(ready.place))
            self._ready.setdefault(self._kind(ready), deque()).append(ready)

    def _kind(self, ready: PreparedModel) -> WorkerClass:
        """Memory for a model in whole slots: a smaller one takes a slot like any other."""
        assert ready.place is not None
        most = max((each.memory_bytes for each in self._capacities.values()), default=1)
        usual = self._orders.limits.memory_bytes or most // max(
            1, max((each.cpus for each in self._capacities.values()), default=1)
        )
        return WorkerClass(ready.place, max(usual, ready.entry.limits.memory_bytes or usual))

    def _start_workers(self) -> None:
        waiting = self._waiting()
        for crew in releasable_groups(self._crews, waiting):
            self._crews.remove(crew)
            self._cluster.stop_actor(crew.foreman)
        while new := next_placement(
            self._capacities, self._crews, waiting, self._orders.workers, self._barred
        ):
            machine = self._machines[new.machine]
            dataset, benchmarks = self._data.for_machine(machine.is_here)
            posting = WorkerActorSpec(
                new.kind.place,
                dataset,
                benchmarks,
                new.slots,
                new.kind.slot_bytes,
                self._orders.engine or "docker",
                self._orders.models_a_worker,
            )
            crew = WorkerGroup(
                new.kind, new.machine, new.slots, self._cluster.start_actor(machine, posting)
            )
            self._crews.append(crew)
            self._starting[crew.foreman.prepare.remote()] = crew
        if waiting and not self._crews and not self._out:
            self._require_room(waiting)

    def _require_room(self, waiting: Counter[WorkerClass]) -> None:
        """Say that a model fits nowhere, rather than wait for a machine that is not to come."""
        largest = max((each.memory_bytes for each in self._capacities.values()), default=0)
        need = min(kind.slot_bytes for kind in waiting)
        raise NoCapacity(
            f"expected a machine with a free processor and {need / 1024**3:.1f} GiB for a model, "
            f"found {len(self._capacities)} of at most {largest / 1024**3:.1f} GiB: "
            "lower --memory, or add machines"
        )

    def _assign(self) -> None:
        for crew in self._crews:
            queue = self._ready.get(crew.kind)
            while queue and crew.free > 0:
                self._start(crew, queue.popleft())

    def _start(self, crew: WorkerGroup, ready: PreparedModel) -> None:
        entry, path = ready.entry, ready.path
        assert path is not None
        request = RunRequest(
            model="",
            source=ready.record.model.source or "",
            dataset_source=self._data.facts.source or "",
            benchmarks_source=self._data.benchmark_facts.source or "",
            memory_bytes=entry.limits.memory_bytes,
            seconds=entry.limits.seconds,
            sandbox=self._orders.sandbox.value,
            user=0,
            no_benchmarks=self._data.no_benchmarks,
            seconds_left=self._deadline.left(),
            debug=self._orders.debug,
        )
        model = str(path) if crew.machine in self._here else path.read_bytes()
        call = crew.foreman.run.remote(ModelTask(entry.id, request, path.suffix), model)
        crew.running[call] = entry.id
        self._out[entry.id] = ready
        self._ledger.record_event(entry.id, ModelState.RUNNING, worker=self._name(crew))

    def _name(self, crew: WorkerGroup) -> str:
        return f"{self._machines[crew.machine].host} {crew.kind.place}"

    def _collect_results(self) -> None:
        calls = [*self._starting, *(call for crew in self._crews for call in crew.running)]
        if not calls:
            time.sleep(_TICK_SECONDS)
            return
        for call in self._cluster.ended(calls, _TICK_SECONDS):
            result = self._cluster.outcome(call)
            if call in self._starting:
                self._started(self._starting.pop(call), result)
                continue
            crew = next((crew for crew in self._crews if call in crew.running), None)
            if crew is not None:  # else it was disbanded for what another call of it said
                self._ended(crew, self._out.pop(crew.running.pop(call)), result)

    def _ended(self, crew: WorkerGroup, ready: PreparedModel, result: Any) -> None:
        if isinstance(result, TaskResult) and result.lost is None:
            self._endings.store_result(ready, result)
            return
        words = result.lost if isinstance(result, TaskResult) else type(result).__name__
        self._retry_or_fail(ready, words or "")
        if isinstance(result, TaskResult) and result.broken:
            self._exclude_environment(crew, words or "")
        elif isinstance(result, BaseException) and self._cluster.is_gone(result):
            self._remove_group(crew, "its foreman is gone")

    def _started(self, crew: WorkerGroup, result: Any) -> None:
        if not isinstance(result, BaseException):
            crew.ready = True
        elif "WorkerBroken" in str(result):
            self._exclude_environment(crew, str(result).strip().splitlines()[-1])
        else:
            self._remove_group(crew, "its foreman is gone")

    def _exclude_environment(self, crew: WorkerGroup, why: str) -> None:
        """Start no more workers of the place on the machine: others may have what it lacks.

        Raises:
            NoWorker: no machine is left that can run such models.
        """
        self._barred.add((crew.machine, crew.kind.place))
        self._remove_group(crew, why)
        if all((machine, crew.kind.place) in self._barred for machine in self._machines):
            raise NoCapacity(why)

    def _remove_group(self, crew: WorkerGroup, why: str) -> None:
        """Take a crew that is gone off the list; its models are queued again."""
        if crew not in self._crews:
            return
        for call, name in list(crew.running.items()):
            del crew.running[call]
            self._retry_or_fail(self._out.pop(name), why)
        self._crews.remove(crew)
        self._cluster.forget_actor(crew.foreman)
        self._looked = 0.0

    def _retry_or_fail(self, ready: PreparedModel, words: str) -> None:
        """Queue a model again whose worker failed it; not for ever: it may be what fails them."""
        name = ready.entry.id
        self._ledger.record_event(name, ModelState.LOST, words)
        if self._ledger.count_losses(name) >= _MOST_LOST:
            error = ModelCrashed(
                f"{_MOST_LOST} workers died while they ran the model; the last: {words}",
                "look at the machine's memory and log, run the model alone: numerai-predict run",
            )
            record = ready.record.concluded(error.verdict, error.message, error.remedy)
            self._endings.store_failure(replace(ready, record=record))
            return
        self._ledger.record_event(name, ModelState.QUEUED, words)
        self._ready.setdefault(self._kind(ready), deque()).appendleft(ready)

    def _close(self) -> None:
        self._endings.close()
        self._intake.close()
        for crew in self._crews:
            self._cluster.stop_actor(crew.foreman)
