"""Who works where: foremen by machine and place, within the slots that machines have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numerai_predict.fleet.environments import Environment


@dataclass(frozen=True, order=True)
class WorkerClass:
    """What a model needs: a place, and a slot of one processor and that much memory."""

    place: Environment
    slot_bytes: int


@dataclass
class WorkerGroup:
    """A foreman on a machine, with its slots; `running` are the ids of models by call."""

    kind: WorkerClass
    machine: str
    slots: tuple[int, ...]
    foreman: Any
    ready: bool = False
    running: dict[Any, str] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """How many models more it can take now."""
        return len(self.slots) - len(self.running) if self.ready else 0

    @property
    def idle(self) -> bool:
        """Whether it has nothing to do."""
        return self.ready and not self.running


@dataclass(frozen=True)
class NodeCapacity:
    """What a machine has for models: processors and memory in bytes."""

    cpus: int
    memory_bytes: int


def free_slots(capacity: NodeCapacity, crews: Iterable[WorkerGroup]) -> tuple[list[int], int]:
    """The numbers of the slots that no crew of the machine has, and the memory left."""
    crews = list(crews)
    taken = {slot for crew in crews for slot in crew.slots}
    used = sum(len(crew.slots) * crew.kind.slot_bytes for crew in crews)
    return [slot for slot in range(capacity.cpus) if slot not in taken], (
        capacity.memory_bytes - used
    )


@dataclass(frozen=True)
class Placement:
    """A crew to be made."""

    kind: WorkerClass
    machine: str
    slots: tuple[int, ...]


def next_placement(
    capacities: Mapping[str, NodeCapacity],
    crews: list[WorkerGroup],
    waiting: Mapping[WorkerClass, int],
    most_slots: int | None,
    barred: Collection[tuple[str, Environment]] = (),
) -> Placement | None:
    """The next crew to make, `None` if none is needed or there is no room.

    Kinds share the slots by how many models wait for them; one that has slots enough for what
    waits gets none. `barred` are the machines, each with the place, that cannot run such a worker.
    """
    have = Counter[WorkerClass]()
    for crew in crews:
        have[crew.kind] += len(crew.slots)
    budget = None if most_slots is None else most_slots - sum(have.values())
    if budget is not None and budget <= 0:
        return None
    wanting = {kind: count - have[kind] for kind, count in waiting.items()}
    wanting = {kind: count for kind, count in wanting.items() if count > 0}
    for kind in sorted(wanting, key=lambda kind: (have[kind] > 0, -wanting[kind], kind)):
        others = sum(1 for other in wanting if other != kind and not have[other])
        for machine, capacity in capacities.items():
            if (machine, kind.place) in barred:
                continue
            own = [crew for crew in crews if crew.machine == machine]
            slots, memory = free_slots(capacity, own)
            room = min(len(slots), memory // kind.slot_bytes)
            if budget is not None:
                room = min(room, budget)
            if room <= 0:
                continue
            # One worker a place and machine, unless much more waits than it has slots for.
            if any(crew.kind == kind for crew in own) and wanting[kind] < 4 * room:
                continue
            share = max(1, room - others) if others else room
            return Placement(kind, machine, tuple(slots[: min(share, wanting[kind])]))
    return None


def releasable_groups(
    crews: list[WorkerGroup], waiting: Mapping[WorkerClass, int]
) -> list[WorkerGroup]:
    """Idle crews whose slots others wait for."""
    if not any(waiting.values()):
        return []
    return [crew for crew in crews if crew.idle and not waiting.get(crew.kind)]
