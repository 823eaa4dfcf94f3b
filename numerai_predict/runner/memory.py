"""How much memory processes really use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


def resident_bytes(processes: Iterable[int]) -> int:
    """Resident memory of the processes, in bytes.

    Pages that a fork shares with its parent are counted for both: an upper bound.
    Processes that are gone count nothing.
    """
    return sum(map(_resident, processes))


def proportional_bytes(processes: Iterable[int]) -> int:
    """The same with every shared page counted once: exact, but slow for much memory."""
    return sum(map(_proportional, processes))


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
