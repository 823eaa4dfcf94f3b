"""What the container's own memory limit did: the kernel kills there without a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from numerai_predict.resources import cgroups

# Without a limit, version 1 shows the largest number of pages that it can count.
_NO_LIMIT = 1 << 60


def kills(mount: Path = cgroups.MOUNT, own: Path = cgroups.OWN) -> int:
    """How many processes the kernel has killed in this control group for its memory.

    Counts of the groups above are of strangers too.
    """
    return ([0, *_kills(mount, own)])[-1]


def limit_bytes(mount: Path = cgroups.MOUNT, own: Path = cgroups.OWN) -> int | None:
    """The memory that this control group and those above it may use; `None` without a limit."""
    return min(_limits(mount, own), default=None)


def _kills(mount: Path, own: Path) -> Iterator[int]:
    for folder in cgroups.cgroup_paths("memory", mount, own):
        for name in ("memory.events", "memory.oom_control"):
            for line in _lines(folder / name):
                if line.startswith("oom_kill "):
                    yield int(line.split()[1])


def _limits(mount: Path, own: Path) -> Iterator[int]:
    for folder in cgroups.cgroup_paths("memory", mount, own):
        for name in ("memory.max", "memory.limit_in_bytes"):
            for line in _lines(folder / name):
                if line.isdigit() and int(line) < _NO_LIMIT:
                    yield int(line)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
