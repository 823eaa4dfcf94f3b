"""How many processes and threads the control groups of this process still allow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.resources import cgroups

# The supervisor and the model process with their own threads; each starts one thread for each CPU
# in the libraries of linear algebra. Measured: fewer end in signals that these libraries send.
_FIXED = 7
_PER_CPU = 2


@dataclass(frozen=True)
class ProcessLimit:
    """A limit of processes and threads, and how many of them are in use."""

    limit: int
    used: int

    @property
    def free(self) -> int:
        """How many more may start."""
        return self.limit - self.used


def process_limit(mount: Path = cgroups.MOUNT, own: Path = cgroups.OWN) -> ProcessLimit | None:
    """The limit that is reached first; `None` without one."""
    limits = [
        ProcessLimit(limit, used)
        for directory in cgroups.cgroup_paths("pids", mount, own)
        if (limit := _number(directory / "pids.max")) is not None
        and (used := _number(directory / "pids.current")) is not None
    ]
    return min(limits, key=lambda each: each.free, default=None)


def processes_of_a_run() -> int:
    """How many processes and threads a run starts, on this number of CPUs."""
    return _FIXED + _PER_CPU * len(os.sched_getaffinity(0))


def _number(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
