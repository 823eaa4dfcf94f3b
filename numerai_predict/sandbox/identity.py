"""Which user the model's process is: never root where that can be helped."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.sandbox import capabilities, landlock

NOBODY = 65534
_OWN_GROUPS_FROM = 1_879_048_192  # far above any that is given to people

# To become another user, to hand it a folder, to end it and to tidy up after it.
_NEEDED = (
    capabilities.SETUID,
    capabilities.SETGID,
    capabilities.CHOWN,
    capabilities.KILL,
    capabilities.DAC_OVERRIDE,
)


@dataclass(frozen=True)
class Identity:
    """The user and group of the model's process; `None` for the parent's own.

    The group is this run's alone where there are enough of them: what the process made
    can be told from what another run's did.

    `reads_all` says that it may pass by file modes: Landlock bounds what it reads.
    `kept` says why a parent that is root cannot give the process another user.
    """

    user: int | None = None
    group: int | None = None
    reads_all: bool = False
    kept: str | None = None


def identity_for_model(package: Path, user: int = NOBODY) -> Identity:
    """That user where the parent is root and the user can read the interpreter and `package`.

    Models that run beside each other take a user each: no file, signal or count of one
    reaches the other.
    """
    if os.geteuid() != 0:
        return Identity()
    held = capabilities.effective()
    if not all(held >> capability & 1 for capability in _NEEDED):
        return Identity(kept="this container may not change users (CAP_SETUID is dropped)")
    if not (_is_known("uid_map", user) and _is_known("gid_map", user)):
        return Identity(kept=f"this container has no user {user}")
    own_group = _OWN_GROUPS_FROM + os.getpid()
    group = own_group if _is_known("gid_map", own_group) else user
    prefixes = (sys.executable, sys.prefix, sys.base_prefix)
    closed = [p for p in (*map(Path, prefixes), package) if not is_open_to_all(p)]
    if not closed:
        return Identity(user, group)
    if held >> capabilities.DAC_READ_SEARCH & 1 and landlock.abi():
        return Identity(user, group, reads_all=True)
    return Identity(kept=f"other users cannot read {closed[0]}")


def _is_known(map_name: str, number: int) -> bool:
    """Whether this name space of users has that user, or group."""
    lines = Path("/proc/self", map_name).read_text().splitlines()
    ranges = ([int(field) for field in line.split()] for line in lines)
    return any(first <= number < first + count for first, _, count in ranges)


def is_open_to_all(path: Path) -> bool:
    """Whether every user may read the file or folder, and reach it."""
    path = path.resolve()
    own = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    return path.stat().st_mode & own == own and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in path.parents
    )


def readable_by(identity: Identity, path: Path, known: frozenset[Path], folder: Path) -> Path:
    """The file itself where the model's process can read it, else a copy in `folder`.

    It can read the files that were `known` when it was started.

    Raises:
        OSError: the copy cannot be written.
    """
    open_to_it = identity.user is None or identity.reads_all or is_open_to_all(path)
    if open_to_it and (path in known or any(parent in known for parent in path.parents)):
        return path
    copy = folder / f"readable-{path.name}"
    shutil.copyfile(path, copy)
    copy.chmod(0o444)
    return copy
