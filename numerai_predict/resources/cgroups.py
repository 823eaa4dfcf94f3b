"""The control groups (v1 and v2) of this process."""

from __future__ import annotations

import os
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


class CgroupUnavailable(Exception):
    """No group can be made below the one of this process; the message gives the reason."""


def writable_parent(controller: str, mount: Path = MOUNT, own: Path = OWN) -> Path:
    """The group below which this process may make groups with the controller.

    In version 1 this is its own. In version 2 a group has either processes or groups with
    controllers: it is its own if that is the root, else the one above, if that is delegated.

    Raises:
        CgroupUnavailable: there is none.
    """
    group = _own_group(controller, mount, own)
    if group is None:
        raise CgroupUnavailable(f"no control group of {controller} is mounted at {mount}")
    candidates = [group]
    if (group / "cgroup.controllers").exists():
        above = (group, group.parent)
        candidates = [each for each in above if controller in _delegated(each)]
        if not candidates:
            raise CgroupUnavailable(f"{controller} is not delegated to groups below {group}")
    writable = [each for each in candidates if os.access(each, os.W_OK)]
    if not writable:
        raise CgroupUnavailable(f"{candidates[0]} is not writable")
    return writable[0]


def _own_group(controller: str, mount: Path, own: Path) -> Path | None:
    """The group that has this process as a member."""
    paths = list(cgroup_paths(controller, mount, own))
    return next((path for path in reversed(paths) if _has_member(path, os.getpid())), None)


def _has_member(group: Path, pid: int) -> bool:
    try:
        return str(pid) in (group / "cgroup.procs").read_text().split()
    except OSError:
        return False


def _delegated(group: Path) -> list[str]:
    """The controllers that groups below this one have (version 2)."""
    try:
        return (group / "cgroup.subtree_control").read_text().split()
    except OSError:
        return []
