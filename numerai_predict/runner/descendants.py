"""The processes that a model started: finding them all, and ending them all."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")
_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.002


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends.

    A model's process that daemonises itself is found and ended like any other.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants(root: int) -> list[int]:
    """Processes below `root` that are alive, its children first."""
    found = _children(root)
    for pid in found:
        found.extend(_children(pid))
    return found


def end_descendants() -> None:
    """Kill every process below this one, and what they start meanwhile, and reap them."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while (alive := descendants(os.getpid())) and time.monotonic() < until:
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        time.sleep(_PAUSE_SECONDS)


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError):  # it ended while we looked
        for task in (_PROC / str(pid) / "task").iterdir():
            children.extend(int(child) for child in (task / "children").read_text().split())
    return children
