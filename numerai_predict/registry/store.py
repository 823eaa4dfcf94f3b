"""Where a registry keeps its files: objects that are created atomically and never changed."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.registry_errors import RegistryUnavailable
from numerai_predict.storage.files import PART_SUFFIX, part_beside

_OBJECT_MODE = 0o444
_WITHOUT_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class Store(Protocol):
    """Files by name, such as `objects/0f3a`: each is complete as soon as it exists.

    Others may write to the same store, whatever they like. All methods raise
    `RegistryUnavailable` where the store cannot be read or written.
    """

    def create(self, name: str, content: bytes) -> bool:
        """Create a file; `False` if there is one already, which stays as it is."""

    def add_file(self, name: str, source: Path) -> None:
        """Create a file from a local one, or replace one of other bytes; it counts as new."""

    def read(self, name: str, most: int) -> bytes | None:
        """The content of a file, at most so many bytes of it; `None` without one."""

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; `None` without one."""

    def copy_to(self, name: str, target: Path) -> bool:
        """Make a local file with the content; `False` without one in the store."""

    def names(self, prefix: str) -> list[str]:
        """The names of all files below a prefix that ends with `/`, sorted."""

    def require_writable(self) -> None:
        """Require that files can be created."""

    def age(self, name: str) -> float:
        """Seconds since the file was created or added again."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


class DirectoryStore:
    """A store in a directory, which several processes and machines may share.

    A file is written under a temporary name and linked to its own: the link fails if the name is
    taken, so that of several writers one alone succeeds. That needs no lock, and holds on network
    file systems with hard links. Below the directory no symbolic link is followed: it could lead to
    files of the user's own, which would be read, copied or removed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def __str__(self) -> str:
        return str(self._root)

    def create(self, name: str, content: bytes) -> bool:
        """See `Store.create`."""
        with self._explained(), self._part(name) as part:
            with open(part, "wb") as handle:
                handle.write(content)
                os.fsync(handle.fileno())
            return self._link(part, name)

    def add_file(self, name: str, source: Path) -> None:
        """See `Store.add_file`."""
        with self._explained():
            path = self._path(name)
            is_there = _is_regular(path)
            if is_there and filecmp.cmp(source, path, shallow=False):
                with suppress(FileNotFoundError):
                    os.utime(path)
                    return
            with self._part(name) as part:
                shutil.copyfile(source, part)
                part.chmod(_OBJECT_MODE)
                with open(part, "rb") as handle:
                    os.fsync(handle.fileno())
                if is_there:
                    part.replace(path)
                else:
                    self._link(part, name)

    def read(self, name: str, most: int) -> bytes | None:
        """See `Store.read`."""
        with self._explained():
            path = self._path(name)
            if not _is_regular(path):
                return None
            with open(path, "rb") as handle:
                return handle.read(most)

    def size(self, name: str) -> int | None:
        """See `Store.size`."""
        with self._explained():
            path = self._path(name)
            return path.stat().st_size if _is_regular(path) else None

    def copy_to(self, name: str, target: Path) -> bool:
        """See `Store.copy_to`."""
        with self._explained():
            source = self._path(name)
            if not _is_regular(source):
                return False
            shutil.copyfile(source, target)
            return True

    def names(self, prefix: str) -> list[str]:
        """See `Store.names`."""
        with self._explained():
            below = os.walk(self._path(prefix))
            found = (Path(folder, name) for folder, _, names in below for name in names)
            files = (path for path in found if path.suffix != PART_SUFFIX and _is_regular(path))
            return sorted(str(path.relative_to(self._root)) for path in files)

    def require_writable(self) -> None:
        """See `Store.require_writable`; the directory is made where there is none."""
        with self._explained():
            self._root.mkdir(parents=True, exist_ok=True)
            with part_beside(self._root / "any"):
                pass

    def age(self, name: str) -> float:
        """See `Store.age`."""
        with self._explained():
            return time.time() - self._path(name).stat().st_mtime

    def remove(self, name: str) -> None:
        """See `Store.remove`."""
        with self._explained():
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        """The path of a file.

        Raises:
            OSError: a symbolic link leads there.
        """
        path = self._root / name
        for part in (path, *path.parents):
            if part == self._root:
                break
            if part.is_symlink():
                raise OSError(errno.ELOOP, f"a symbolic link in place of {one_line(part)}")
        return path

    @contextmanager
    def _part(self, name: str) -> Iterator[Path]:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with part_beside(path) as part:
            yield part

    def _link(self, part: Path, name: str) -> bool:
        path = self._root / name
        try:
            os.link(part, path)
        except FileExistsError:
            return False
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return True

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            found = error.strerror or str(error)
            raise RegistryUnavailable(
                f"expected to read and write the registry in {self._root}, found: {found}",
                "use a file system with hard links"
                if error.errno in _WITHOUT_LINKS
                else "check the directory, or name another with --registry or NUMERAI_REGISTRY",
            ) from error


def _is_regular(path: Path) -> bool:
    """Whether a regular file is there: no directory, device or pipe, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
