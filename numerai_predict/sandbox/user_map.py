"""Which users and groups a new user namespace knows."""

from __future__ import annotations

import os
from pathlib import Path

from numerai_predict.sandbox import capabilities


def map_users(pid: int) -> None:
    """Give the user namespace of a process the same numbers as this one has.

    All of them if this process is privileged, so that owners of files look as they are and the
    model's user can be chosen; else only this process's own user and group.

    Raises:
        OSError: the kernel refuses.
    """
    process = Path("/proc", str(pid))
    effective = capabilities.effective()
    if effective >> capabilities.SETUID & 1 and effective >> capabilities.SETGID & 1:
        for name in ("uid_map", "gid_map"):
            (process / name).write_text(_identity_map(Path("/proc/self", name).read_text()))
        return
    (process / "uid_map").write_text(f"{os.geteuid()} {os.geteuid()} 1\n")
    (process / "setgroups").write_text("deny")  # the condition for the next line
    (process / "gid_map").write_text(f"{os.getegid()} {os.getegid()} 1\n")


def _identity_map(own: str) -> str:
    """The map that gives every number of this namespace the same number in the new one."""
    ranges = [line.split() for line in own.splitlines()]
    return "".join(f"{first} {first} {count}\n" for first, _, count in ranges)
