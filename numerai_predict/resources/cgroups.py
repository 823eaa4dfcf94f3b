"""The control groups (v1 and v2) of this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def cgroup_paths(controller: str, mount: Path = MOUNT, own: Path = OWN) -> Iterator[Path]:
    """The directories of this process's groups for a controller (`cpu`, `memory`).

    The ancestors of a group precede it: their limits apply too. Some directories may not exist.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        roots = dict.fromkeys([mount / controller, mount / controllers] if controllers else [mount])
        for root in roots:
            # In a container the path may be the one on the host; the mount then is the own group.
            yield from (root, *_below(root, path))


def _below(root: Path, path: str) -> Iterator[Path]:
    directory = root
    for part in Path(path.lstrip("/")).parts:
        directory = directory / part
        yield directory
