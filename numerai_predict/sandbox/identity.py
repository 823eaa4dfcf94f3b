"""The user and group of the model process: never root, unless the container allows nothing else."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.library_folders import library_folders
from numerai_predict.sandbox import capabilities, landlock

NOBODY = 65534
_FIRST_RUN_GROUP = 1_879_048_192  # far above the groups that systems assign

# To switch to another user, give it a directory, kill it and delete its files.
_REQUIRED = (
    capabilities.SETUID,
    capabilities.SETGID,
    capabilities.CHOWN,
    capabilities.KILL,
    capabilities.DAC_OVERRIDE,
)


@dataclass(frozen=True)
class Identity:
    """The user and group of the model process; `None` for those of the supervisor.

    The group is used by this run only, where the container has enough groups: files of one run
    are distinguished from those of another by their group.

    `reads_all`: the process may read files whatever their mode; Landlock limits what it reads.
    `root_reason`: why a supervisor that is root cannot give the process another user.
    """

    user: int | None = None
    group: int | None = None
    reads_all: bool = False
    root_reason: str | None = None


def identity_for_model(package: Path, user: int = NOBODY) -> Identity:
    """The given user if the supervisor is root, else the supervisor's own user.

    The user must be able to read the interpreter, its libraries and `package`. Models that run at
    the same time need a user each: one then cannot read the files of another, signal it or use up
    its limits.
    """
    if os.geteuid() != 0:
        return Identity()
    effective = capabilities.effective()
    if not all(effective >> capability & 1 for capability in _REQUIRED):
        return Identity(root_reason="this container cannot switch users (CAP_SETUID is dropped)")
    if not (_is_mapped("uid_map", user) and _is_mapped("gid_map", user)):
        return Identity(root_reason=f"this container has no user {user}")
    run_group = _FIRST_RUN_GROUP + os.getpid()
    group = run_group if _is_mapped("gid_map", run_group) else user
    prefixes = (sys.executable, sys.prefix, sys.base_prefix, *library_folders())
    unreadable = [p for p in (*map(Path, prefixes), package) if not is_world_readable(p)]
    if not unreadable:
        return Identity(user, group)
    if effective >> capabilities.DAC_READ_SEARCH & 1 and landlock.abi():
        return Identity(user, group, reads_all=True)
    return Identity(root_reason=f"other users cannot read {unreadable[0]}")


def _is_mapped(map_name: str, number: int) -> bool:
    """Whether the user namespace maps this user (`uid_map`) or group (`gid_map`)."""
    lines = Path("/proc/self", map_name).read_text().splitlines()
    ranges = ([int(field) for field in line.split()] for line in lines)
    return any(first <= number < first + count for first, _, count in ranges)


def is_world_readable(path: Path) -> bool:
    """Whether every user may read the file or directory, and reach it."""
    path = path.resolve()
    needed = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    return path.stat().st_mode & needed == needed and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in path.parents
    )


def readable_by(identity: Identity, path: Path, allowed: frozenset[Path], folder: Path) -> Path:
    """The file itself if the model process can read it, else a readable copy in `folder`.

    `allowed` are the files and directories that the process was allowed to read at its start.

    Raises:
        OSError: the copy cannot be written.
    """
    has_permission = identity.user is None or identity.reads_all or is_world_readable(path)
    if has_permission and (path in allowed or any(parent in allowed for parent in path.parents)):
        return path
    copy = folder / f"readable-{path.name}"
    shutil.copyfile(path, copy)
    copy.chmod(0o444)
    return copy
