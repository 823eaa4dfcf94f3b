"""Where a registry keeps its files: objects that are created atomically and never changed."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from numerai_predict.contract.registry_errors import RegistryUnavailable
from numerai_predict.storage.files import PART_SUFFIX, part_beside

_OBJECT_MODE = 0o444
_WITHOUT_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class Store(Protocol):
    """Files by name, such as `objects/0f3a`: each is complete as soon as it exists.

    All methods raise `RegistryUnavailable` where the store cannot be read or written.
    """

    def create(self, name: str, content: bytes) -> bool:
        """Create a file; `False` if there is one already, which stays as it is."""

    def add_file(self, name: str, source: Path) -> None:
        """Create a file from a local one; an existing file gets a new modification time."""

    def read(self, name: str) -> bytes | None:
        """The content of a file; `None` without one."""

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
    file systems with hard links.
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
            with suppress(FileNotFoundError):
                os.utime(self._root / name)
                return
            with self._part(name) as part:
                shutil.copyfile(source, part)
                part.chmod(_OBJECT_MODE)
                with open(part, "rb") as handle:
                    os.fsync(handle.fileno())
                self._link(part, name)

    def read(self, name: str) -> bytes | None:
        """See `Store.read`."""
        with self._explained():
            try:
                return (self._root / name).read_bytes()
            except FileNotFoundError:
                return None

    def copy_to(self, name: str, target: Path) -> bool:
        """See `Store.copy_to`."""
        source = self._root / name
        with self._explained():
            if not source.is_file():
                return False
            shutil.copyfile(source, target)
            return True

    def names(self, prefix: str) -> list[str]:
        """See `Store.names`."""
        with self._explained():
            found = (self._root / prefix).rglob("*")
            files = (path for path in found if path.suffix != PART_SUFFIX and path.is_file())
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
            return time.time() - (self._root / name).stat().st_mtime

    def remove(self, name: str) -> None:
        """See `Store.remove`."""
        with self._explained():
            (self._root / name).unlink(missing_ok=True)

    @contextmanager
    def _part(self, name: str) -> Iterator[Path]:
        path = self._root / name
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
