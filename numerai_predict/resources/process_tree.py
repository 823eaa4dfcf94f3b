"""The processes that a model started: finding them all, and ending them all."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from numerai_predict.sandbox.syscalls import PR_SET_CHILD_SUBREAPER, prctl

_PROC = Path("/proc")
_PAUSE_SECONDS = 0.002


@dataclass
class ProcessTree:
    """Processes that are alive, children before their own; `tasks` counts their threads."""

    processes: list[int] = field(default_factory=list)
    tasks: int = 0


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends.

    A model's process that daemonises itself is found and ended like any other.
    """
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def descendants(root: int) -> ProcessTree:
    """The processes below `root`."""
    found = ProcessTree()
    _, found.processes[:] = _look_at(root)
    for pid in found.processes:
        tasks, children = _look_at(pid)
        found.tasks += tasks
        found.processes.extend(children)
    return found


def kill_descendants(until: float) -> None:
    """Kill every process below this one, and what they start meanwhile, and reap them.

    They are waited for until that time of the monotonic clock, once they were sent the signal.
    """
    while alive := descendants(os.getpid()).processes:
        # By groups first: all of a group die at once, where one by one they would start
        # others faster than they are ended.
        for group in _groups(alive):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        if time.monotonic() >= until:
            return
        time.sleep(_PAUSE_SECONDS)


def _groups(processes: Iterable[int]) -> set[int]:
    """The process groups of the processes, never this one's own."""
    found = {os.getpgrp()}
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            found.add(os.getpgid(pid))
    return found - {os.getpgrp()}


def _look_at(pid: int) -> tuple[int, list[int]]:
    """How many threads the process has, and its children."""
    tasks = 0
    children: list[int] = []
    with contextlib.suppress(OSError):  # it ended while we looked
        for task in (_PROC / str(pid) / "task").iterdir():
            tasks += 1
            children.extend(int(child) for child in (task / "children").read_text().split())
    return tasks, children
