"""The messages between a worker actor and its worker, as frames of `runner.protocol`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

# Memory of a worker without its models: libraries and live data, once for all slots.
OVERHEAD_BYTES = 2 * 1024**3


class MessageKind(str, Enum):
    """The kinds of frames.

    Actor to worker: START once, then RUN and PING. Worker to actor: READY or BROKEN once, then
    for each run LOG (payload: its log lines) and DONE, or LOST; PONG for a PING. All frames of
    a run have its number as `run` in their content.
    """

    START = "start"  # StartRequest
    READY = "ready"  # ReadyWorker
    BROKEN = "broken"  # content: message
    RUN = "run"  # RunRequest
    LOG = "log"
    DONE = "done"  # RunResult, with the payload of the model's response
    LOST = "lost"  # the supervisor of the run exited without a result
    PING = "ping"
    PONG = "pong"


@dataclass(frozen=True)
class StartRequest:
    """The data of a fleet run: paths that the worker can read, `None` for no benchmarks."""

    dataset: str
    benchmarks: str | None


@dataclass(frozen=True)
class ReadyWorker:
    """What a worker has preloaded; `bytes` is the resident memory of its zygote."""

    python: str
    libraries: list[str]
    seconds: float
    bytes: int


@dataclass(frozen=True)
class RunRequest:
    """One model: its file, the names to show for it and the data, its limits.

    `user` is the uid of its process if the worker is root, `cpu` the processor that it may
    use. `no_benchmarks` are message and remedy of their lack. `seconds_left` is the time to the
    deadline of the fleet run. `hosted` makes a model fail that hosted compute would refuse.
    `acceleration` allows the tree engine.
    """

    model: str
    source: str
    dataset_source: str
    benchmarks_source: str
    memory_bytes: int | None
    seconds: float | None
    sandbox: str
    user: int
    cpu: int | None = None
    no_benchmarks: tuple[str, str] | None = None
    seconds_left: float | None = None
    debug: bool = False
    hosted: bool = False
    acceleration: bool = True


@dataclass(frozen=True)
class RunResult:
    """The record of a run, and the content of the model's response if there is one.

    `predicted` has the fields of `protocol.Predicted`, `attempted_hosts` those that the model
    tried to reach. `worker_bytes` is the resident memory of the zygote.
    """

    record: Mapping[str, Any]
    predicted: Mapping[str, Any] | None
    attempted_hosts: list[str]
    worker_bytes: int = 0
