"""The memory limit of the container, and the processes that the kernel killed for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from numerai_predict.resources import cgroups

# cgroup v1 shows the largest number of pages that it can count if there is no limit.
_NO_LIMIT = 1 << 60


def kills(mount: Path = cgroups.MOUNT, own: Path = cgroups.OWN) -> int:
    """How many processes of this control group the kernel has killed for its memory limit.

    The counts of ancestor groups include processes of others, and are not used.
    """
    return ([0, *_kills(mount, own)])[-1]


def limit_bytes(mount: Path = cgroups.MOUNT, own: Path = cgroups.OWN) -> int | None:
    """The lowest memory limit of this control group and its ancestors; `None` without one."""
    return min(_limits(mount, own), default=None)


def kills_of(group: Path) -> int:
    """How many processes of that control group the kernel has killed for its memory limit."""
    return next(_kills_of(group), 0)


def _kills(mount: Path, own: Path) -> Iterator[int]:
    for directory in cgroups.cgroup_paths("memory", mount, own):
        yield from _kills_of(directory)


def _kills_of(group: Path) -> Iterator[int]:
    for name in ("memory.events", "memory.oom_control"):
        for line in _lines(group / name):
            if line.startswith("oom_kill "):
                yield int(line.split()[1])


def _limits(mount: Path, own: Path) -> Iterator[int]:
    for directory in cgroups.cgroup_paths("memory", mount, own):
        for name in ("memory.max", "memory.limit_in_bytes"):
            for line in _lines(directory / name):
                if line.isdigit() and int(line) < _NO_LIMIT:
                    yield int(line)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
