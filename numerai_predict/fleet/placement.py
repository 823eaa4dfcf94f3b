"""Placement: which worker groups to start and to stop, within the slots of the nodes.

Pure decisions: nothing here starts or stops anything. A slot is one CPU and the memory of the
worker class. Worker classes share the slots by how many models wait for each.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.worker_group import WorkerClass, WorkerGroup

# A second group of a class on a node must be worth the memory of another worker: it is started
# only if this many times more models wait than it would have slots.
_BACKLOG_FOR_ANOTHER_GROUP = 4


@dataclass(frozen=True)
class NodeCapacity:
    """The CPUs, and the memory in bytes, that a node offers to models."""

    cpus: int
    memory_bytes: int


@dataclass(frozen=True)
class Placement:
    """A worker group to start; `slots` are numbers of slots that are free on the node."""

    worker_class: WorkerClass
    node_id: str
    slots: tuple[int, ...]


def next_placement(
    capacities: Mapping[str, NodeCapacity],
    groups: Sequence[WorkerGroup],
    waiting: Mapping[WorkerClass, int],
    concurrency: int | None,
    excluded: Collection[tuple[str, Environment]] = (),
) -> Placement | None:
    """The next worker group to start; `None` if none is needed, or none fits.

    `waiting` counts the models that wait for each class. `concurrency` bounds the slots of all
    nodes together. `excluded` are nodes, each with an environment that it cannot run.
    """
    allocated = Counter[WorkerClass]()
    for group in groups:
        allocated[group.worker_class] += len(group.slots)
    budget = math.inf if concurrency is None else concurrency - allocated.total()
    unmet = {each: count - allocated[each] for each, count in waiting.items()}
    unmet = {each: count for each, count in unmet.items() if count > 0}
    for each in sorted(unmet, key=lambda each: (allocated[each] > 0, -unmet[each], each)):
        # Leave a slot for every other class that has none yet.
        reserved = sum(1 for other in unmet if other != each and not allocated[other])
        for node_id, capacity in capacities.items():
            on_node = [group for group in groups if group.node_id == node_id]
            slots = _fitting_slots(each, capacity, on_node, budget)
            if (node_id, each.environment) in excluded or not slots:
                continue
            if _is_worth_starting(each, on_node, len(slots), unmet[each]):
                share = min(max(1, len(slots) - reserved), unmet[each])
                return Placement(each, node_id, slots[:share])
    return None


def releasable_groups(
    groups: Sequence[WorkerGroup], waiting: Mapping[WorkerClass, int]
) -> list[WorkerGroup]:
    """Idle worker groups whose slots models of another class wait for."""
    if not any(waiting.values()):
        return []
    return [group for group in groups if group.is_idle and not waiting.get(group.worker_class)]


def _fitting_slots(
    worker_class: WorkerClass,
    capacity: NodeCapacity,
    on_node: Sequence[WorkerGroup],
    budget: float,
) -> tuple[int, ...]:
    """The free slots of a node that its memory and the budget allow, by their numbers."""
    occupied = {slot for group in on_node for slot in group.slots}
    used_bytes = sum(len(group.slots) * group.worker_class.slot_bytes for group in on_node)
    free = [slot for slot in range(capacity.cpus) if slot not in occupied]
    by_memory = (capacity.memory_bytes - used_bytes) // worker_class.slot_bytes
    return tuple(free[: int(max(0, min(len(free), by_memory, budget)))])


def _is_worth_starting(
    worker_class: WorkerClass, on_node: Sequence[WorkerGroup], slots: int, unmet: int
) -> bool:
    """One group for each class and node, unless many more models wait than it has slots."""
    exists = any(group.worker_class == worker_class for group in on_node)
    return not exists or unmet >= _BACKLOG_FOR_ANOTHER_GROUP * slots
