"""The worker groups of a fleet run: started, given models, and removed when they fail."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.errors import NoCapacity
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.node_files import to_node
from numerai_predict.fleet.placement import (
    NodeCapacity,
    Placement,
    next_placement,
    releasable_groups,
)
from numerai_predict.fleet.pool.actor import (
    ModelTask,
    TaskLost,
    TaskResult,
    WorkerActorSpec,
    WorkerReady,
    WorkerUnavailable,
)
from numerai_predict.fleet.pool.ray_cluster import ActorFailure, CallResult, Node, RayCluster
from numerai_predict.fleet.worker_group import WorkerClass, WorkerGroup
from numerai_predict.resources.memory import trim_heap

_REFRESH_SECONDS = 2.0


@dataclass(frozen=True)
class ModelFinished:
    """A worker returned the result of a model."""

    model_id: str
    result: TaskResult


@dataclass(frozen=True)
class ModelLost:
    """A worker failed while it ran the model; the model may not be the cause."""

    model_id: str
    reason: str


PoolEvent = ModelFinished | ModelLost


class WorkerPool:
    """All worker groups on the nodes of a cluster."""

    def __init__(self, cluster: RayCluster, config: FleetConfig, data: LiveData) -> None:
        self._cluster = cluster
        self._config = config
        self._data = data
        self._nodes: dict[str, Node] = {}
        self._groups: list[WorkerGroup] = []
        self._starting: dict[Any, WorkerGroup] = {}
        self._excluded: dict[tuple[str, Environment], str] = {}
        self._failed_starts: Counter[tuple[str, Environment]] = Counter()
        self._next_refresh = 0.0

    @property
    def groups(self) -> Sequence[WorkerGroup]:
        """The worker groups, ready or not."""
        return self._groups

    def worker_class(self, environment: Environment, memory_bytes: int | None) -> WorkerClass:
        """The class of worker for a model with this memory limit, `None` for the default limit.

        Slots have the size of the default limit, so that models with smaller limits share them.
        """
        largest = max((node.memory_bytes for node in self._nodes.values()), default=1)
        cpus = max((node.cpus for node in self._nodes.values()), default=1)
        default = self._config.limits.memory_bytes or largest // max(1, cpus)
        return WorkerClass(environment, max(default, memory_bytes or default))

    def refresh(self) -> list[ModelLost]:
        """Update the nodes every few seconds; returns the models of nodes that are gone."""
        now = time.monotonic()
        if now < self._next_refresh:
            return []
        self._next_refresh = now + _REFRESH_SECONDS
        trim_heap()  # every call leaves small allocations, in Ray as well
        self._nodes = {node.id: node for node in self._cluster.nodes()}
        gone = [group for group in self._groups if group.node_id not in self._nodes]
        return [lost for group in gone for lost in self._remove(group, "its node is gone")]

    def scale(self, waiting: Mapping[WorkerClass, int]) -> None:
        """Stop idle groups whose slots others need, and start the groups that are missing.

        Raises:
            NoCapacity: no node can run a worker that waiting models need.
        """
        for group in releasable_groups(self._groups, waiting):
            self._groups.remove(group)
            self._cluster.stop_actor(group.actor)
        capacities = {
            node.id: NodeCapacity(node.cpus, node.memory_bytes) for node in self._nodes.values()
        }
        while placement := next_placement(
            capacities, self._groups, waiting, self._config.concurrency, self._excluded
        ):
            self._start(placement)
        self._check_capacity(waiting)

    def submit(self, group: WorkerGroup, task: ModelTask, path: Path) -> str:
        """Run a model in a free slot of the group; returns the name of the worker for people."""
        node = self._nodes[group.node_id]
        call = group.actor.run.remote(task, to_node(path, node.is_local))
        group.assign(call, task.id)
        return f"{node.host} {group.worker_class.environment}"

    def poll(self, seconds: float) -> list[PoolEvent]:
        """What happened since the last call; waits up to `seconds` for the first event."""
        calls = [*self._starting, *(call for group in self._groups for call in group.calls)]
        if not calls:
            time.sleep(seconds)
            return []
        events: list[PoolEvent] = []
        for call in self._cluster.completed_calls(calls, seconds):
            result = self._cluster.result(call)
            if call in self._starting:
                events += self._handle_start(self._starting.pop(call), result)
            elif group := self._group_of(call):
                events += self._handle_run(group, group.release(call), result)
        return events

    def close(self) -> None:
        """Stop all workers."""
        for group in self._groups:
            self._cluster.stop_actor(group.actor)

    def _start(self, placement: Placement) -> None:
        worker_class, slots = placement.worker_class, placement.slots
        dataset, benchmarks = self._data.for_node(self._nodes[placement.node_id].is_local)
        spec = WorkerActorSpec(
            worker_class.environment,
            dataset,
            benchmarks,
            slots,
            worker_class.slot_bytes,
            self._config.engine or "docker",
            self._config.models_per_worker,
            self._config.max_worker_growth_bytes,
            self._config.retries.worker_starts,
            sandbox=self._config.sandbox,
        )
        actor = self._cluster.start_actor(placement.node_id, spec)
        group = WorkerGroup(worker_class, placement.node_id, slots, actor)
        self._groups.append(group)
        self._starting[actor.prepare.remote()] = group

    def _check_capacity(self, waiting: Mapping[WorkerClass, int]) -> None:
        """Fail rather than wait for a node that may never appear."""
        for worker_class in waiting:
            reasons = [self._excluded.get((node, worker_class.environment)) for node in self._nodes]
            if reasons and all(reasons):
                raise NoCapacity(reasons[-1])
        if waiting and not self._groups:
            needed = min(worker_class.slot_bytes for worker_class in waiting)
            largest = max((node.memory_bytes for node in self._nodes.values()), default=0)
            raise NoCapacity(
                f"expected a node with a free CPU and {needed / 1024**3:.1f} GiB for a model, "
                f"found {len(self._nodes)} node(s) of at most {largest / 1024**3:.1f} GiB: "
                "lower --memory, or add nodes"
            )

    def _group_of(self, call: Any) -> WorkerGroup | None:
        """The group of a call; `None` if an earlier call of the same group removed it."""
        return next((group for group in self._groups if call in group.calls), None)

    def _handle_start(self, group: WorkerGroup, result: CallResult) -> list[ModelLost]:
        key = group.node_id, group.worker_class.environment
        if isinstance(result, WorkerReady):
            self._failed_starts[key] = 0
            group.mark_ready()
            return []
        if isinstance(result, WorkerUnavailable):
            return self._exclude(group, result.reason)
        assert isinstance(result, ActorFailure)
        self._failed_starts[key] += 1
        if self._failed_starts[key] >= self._config.retries.worker_starts:
            reason = f"the worker actor crashed while it started: {result.reason}"
            return self._exclude(group, reason)
        return self._remove(group, "its worker actor crashed")

    def _handle_run(
        self, group: WorkerGroup, model_id: str, result: CallResult
    ) -> Sequence[PoolEvent]:
        if isinstance(result, TaskResult):
            return [ModelFinished(model_id, result)]
        if isinstance(result, TaskLost):
            return [ModelLost(model_id, result.reason)]
        if isinstance(result, WorkerUnavailable):
            return [ModelLost(model_id, result.reason), *self._exclude(group, result.reason)]
        assert isinstance(result, ActorFailure)
        others = self._remove(group, "its worker actor crashed") if result.actor_lost else []
        return [ModelLost(model_id, result.reason), *others]

    def _exclude(self, group: WorkerGroup, reason: str) -> list[ModelLost]:
        """Stop starting workers of this environment on this node; other nodes may still run it."""
        self._excluded[group.node_id, group.worker_class.environment] = reason
        return self._remove(group, reason)

    def _remove(self, group: WorkerGroup, reason: str) -> list[ModelLost]:
        """Remove a group whose worker is gone; returns the models that it ran."""
        if group not in self._groups:
            return []
        self._groups.remove(group)
        self._cluster.forget_actor(group.actor)
        self._next_refresh = 0.0
        return [ModelLost(model_id, reason) for model_id in group.release_all()]
