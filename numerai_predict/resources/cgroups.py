"""The control groups that this process is in, of version 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def cgroup_paths(controller: str, mount: Path = MOUNT, own: Path = OWN) -> Iterator[Path]:
    """Where the kernel shows what the controller (`cpu`, `memory`) does with this process.

    A group's parents come before it: their limits hold too. Folders that are not there
    may be among them.
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
            # Inside a container the path may be the host's: the mount is its own group then.
            yield from (root, *_below(root, path))


def _below(root: Path, path: str) -> Iterator[Path]:
    folder = root
    for part in Path(path.lstrip("/")).parts:
        folder = folder / part
        yield folder
