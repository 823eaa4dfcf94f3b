"""What the agent and a worker say to each other, in the frames of `runner.protocol`.

Agent to worker: `START` once, then `RUN` and `PING`. Worker to agent: `READY` once, then for
each run `LOG` (payload: the lines) and `DONE`, or `LOST`; `PONG` for a ping.
"""

from __future__ import annotations

from dataclasses import dataclass

START = "start"
READY = "ready"
BROKEN = "broken"
RUN = "run"
LOG = "log"
DONE = "done"
LOST = "lost"
PING = "ping"
PONG = "pong"


@dataclass(frozen=True)
class StartRequest:
    """The files of a round: paths that the worker can read, `None` for no benchmarks."""

    dataset: str
    benchmarks: str | None


@dataclass(frozen=True)
class RunRequest:
    """One model: its file, the names to show for it and the data, its limits.

    `user` is whom its process shall be where the worker is root, `cpu` the processor that it
    has. `no_benchmarks` says why there are none, in a message and a remedy. `seconds_left` are
    those to the deadline of the whole round.
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
