"""Which user the model's process is: never root where that can be helped."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 65534
_CAP_SETGID, _CAP_SETUID = 6, 7


@dataclass(frozen=True)
class Identity:
    """The user and group of the model's process; `None` for the parent's own.

    `kept` says why a parent that is root could not give the process another user.
    """

    user: int | None = None
    kept: str | None = None


def identity_for_model(package: Path) -> Identity:
    """Nobody where the parent is root and nobody can read the interpreter and `package`."""
    if os.geteuid() != 0:
        return Identity()
    if not _may_change_user():
        return Identity(kept="this container may not change users (CAP_SETUID is dropped)")
    for place in (Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix), package):
        if not is_open_to_all(place):
            return Identity(kept=f"other users cannot read {place}")
    return Identity(user=_NOBODY)


def is_open_to_all(path: Path) -> bool:
    """Whether every user may read the file or folder, and reach it."""
    path = path.resolve()
    own = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    return path.stat().st_mode & own == own and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in path.parents
    )


def readable_by(identity: Identity, path: Path, folder: Path) -> Path:
    """The file itself where the model's process can read it, else a copy in `folder`.

    Raises:
        OSError: the copy cannot be written.
    """
    if identity.user is None or is_open_to_all(path):
        return path
    copy = folder / f"readable-{path.name}"
    shutil.copyfile(path, copy)
    copy.chmod(0o444)
    return copy


def _may_change_user() -> bool:
    with open("/proc/self/status") as status:
        effective = next((int(line.split()[1], 16) for line in status if line[:6] == "CapEff"), 0)
    wanted = 1 << _CAP_SETUID | 1 << _CAP_SETGID
    return effective & wanted == wanted
