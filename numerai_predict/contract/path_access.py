"""Path checks that also work below directories that this user may not enter.

`Path.is_file` and its like raise `PermissionError` below such a directory.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_SYSTEM_DIRECTORIES = (Path("/proc"), Path("/sys"), Path("/dev"))
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - no file is made


@dataclass(frozen=True)
class Barred:
    """A directory that this user may not enter, so that what is below it cannot be found."""

    folder: Path

    @property
    def found(self) -> str:
        """What was found in place of the path."""
        return f"that user {os.geteuid()} may not enter {self.folder}"

    @property
    def remedy(self) -> str:
        """What to do next."""
        return (
            f"chmod a+rx {self.folder}, or run as its owner: in a container with "
            '--user "$(id -u):$(id -g)"'
        )


def barred_by(path: Path | str) -> Barred | None:
    """The first directory of the path that this user may not enter; `None` if there is none."""
    for way in (os.path.abspath(path), os.path.realpath(path)):  # noqa: PTH100 - as it was typed
        for folder in reversed(Path(way).parents):
            if is_directory(folder) and not os.access(folder, os.X_OK, effective_ids=True):
                return Barred(folder)
    return None


def system_directory(path: Path | str) -> Path | None:
    """The directory of the kernel or the whole root that the path names; `None` if it is neither.

    Files there are no files on a disk, and a mount of one into a container replaces the container's
    own. `/dev/shm` holds ordinary files.
    """
    for way in (os.path.abspath(path), os.path.realpath(path)):  # noqa: PTH100 - as it was typed
        found = Path(way)
        if found == Path("/"):
            return found
        for directory in _SYSTEM_DIRECTORIES:
            if found.is_relative_to(directory) and not found.is_relative_to(_SHARED_MEMORY):
                return directory
    return None


def is_file(path: Path | str) -> bool:
    """Whether a regular file is there, as far as this user can see."""
    return os.path.isfile(path)  # noqa: PTH113 - see the module


def is_directory(path: Path | str) -> bool:
    """Whether a directory is there, as far as this user can see."""
    return os.path.isdir(path)  # noqa: PTH112 - see the module


def exists(path: Path | str) -> bool:
    """Whether something is there, as far as this user can see."""
    return os.path.exists(path)  # noqa: PTH110 - see the module
