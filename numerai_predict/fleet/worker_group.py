"""Worker groups: the slots of one worker on one node, as the scheduler sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from numerai_predict.fleet.environments import Environment


@dataclass(frozen=True, order=True)
class WorkerClass:
    """What a model needs of a worker: an environment, and slots with that many bytes of memory."""

    environment: Environment
    slot_bytes: int


class GroupState(Enum):
    """Whether the worker of a group accepts models."""

    STARTING = auto()
    READY = auto()


@dataclass(eq=False)
class WorkerGroup:
    """A worker on a node, its slots, and the models that it runs.

    `actor` is the handle of the worker actor. A call is the handle of a model's run in it.
    """

    worker_class: WorkerClass
    node_id: str
    slots: tuple[int, ...]
    actor: Any
    state: GroupState = GroupState.STARTING
    _running: dict[Any, str] = field(default_factory=dict)

    @property
    def calls(self) -> Sequence[Any]:
        """The calls of all models that it runs."""
        return tuple(self._running)

    @property
    def free_slots(self) -> int:
        """How many more models it can run now."""
        return len(self.slots) - len(self._running) if self.state is GroupState.READY else 0

    @property
    def is_idle(self) -> bool:
        """Whether it is ready and runs no model."""
        return self.state is GroupState.READY and not self._running

    def mark_ready(self) -> None:
        """The worker has started."""
        self.state = GroupState.READY

    def assign(self, call: Any, model_id: str) -> None:
        """Occupy a slot with a model."""
        self._running[call] = model_id

    def release(self, call: Any) -> str:
        """Free the slot of a call and return the id of its model."""
        return self._running.pop(call)

    def release_all(self) -> list[str]:
        """Free all slots and return the ids of their models."""
        return [self.release(call) for call in self.calls]
