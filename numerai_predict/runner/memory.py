"""How much memory a process and everything that it started really use."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


def resident_bytes(root: int) -> int:
    """Resident memory of the process `root` and its descendants, in bytes.

    Pages that a fork shares with its parent are counted for both: an upper bound.
    Processes that are gone count nothing.
    """
    return sum(_resident(pid) for pid in tree(root))


def proportional_bytes(root: int) -> int:
    """The same with every shared page counted once: exact, but slow for much memory."""
    return sum(_proportional(pid) for pid in tree(root))


def tree(root: int) -> list[int]:
    """The process `root` and its descendants that are alive."""
    found = [root]
    for pid in found:
        found.extend(_children(pid))
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for task in (_PROC / str(pid) / "task").iterdir():
            children.extend(int(child) for child in (task / "children").read_text().split())
    except OSError:
        pass  # it ended while we looked
    return children


def _resident(pid: int) -> int:
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return _resident(pid)
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
