"""Finds, adopts and kills all processes that a model started."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.sandbox.syscalls import PR_SET_CHILD_SUBREAPER, prctl

_PROC = Path("/proc")
_POLL_SECONDS = 0.002


@dataclass(frozen=True)
class ProcessTree:
    """The living processes below another one, parents before children; `tasks` counts threads.

    A process whose first thread has ended while others go on is listed by the id of one of them:
    `/proc` shows no memory and no open files by the id of the first.
    """

    processes: list[int]
    tasks: int


def adopt_orphans() -> None:
    """Become the parent process of every descendant whose own parent ends (PR_SET_CHILD_SUBREAPER).

    A process that daemonizes itself then stays a descendant, and is found like any other.
    """
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def descendants(root: int) -> ProcessTree:
    """The processes below `root`."""
    _, processes = _tasks_and_children(root)
    total = 0
    for position, pid in enumerate(processes):  # which grow meanwhile
        tasks, children = _tasks_and_children(pid)
        total += len(tasks)
        processes.extend(children)
        if len(tasks) > 1 and _has_ended(pid):
            processes[position] = next((t for t in tasks if not _has_ended(t)), pid)
    return ProcessTree(processes, total)


def kill_descendants(until: float) -> None:
    """Kill and reap every process below this one, and those that they start meanwhile.

    They get the signal at least once; then this waits until that time of the monotonic clock.
    """
    while alive := descendants(os.getpid()).processes:
        # Groups first: all of a group die at once. One by one, they could start new processes
        # faster than they are killed.
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
        time.sleep(_POLL_SECONDS)


def _groups(processes: Iterable[int]) -> set[int]:
    """The process groups of the processes, without this process's own."""
    groups: set[int] = set()
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            groups.add(os.getpgid(pid))
    return groups - {os.getpgrp()}


def _tasks_and_children(pid: int) -> tuple[list[int], list[int]]:
    """The threads of a process, and its child processes."""
    tasks: list[int] = []
    children: list[int] = []
    with contextlib.suppress(OSError):  # it ended meanwhile
        for task in (_PROC / str(pid) / "task").iterdir():
            tasks.append(int(task.name))
            children.extend(int(child) for child in (task / "children").read_text().split())
    return tasks, children


def _has_ended(task: int) -> bool:
    """Whether a thread has ended, though the kernel keeps it until its process ends."""
    try:
        # The name, in parentheses, may hold any character.
        state = (_PROC / str(task) / "stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return True
    return state in (b"Z", b"X")
