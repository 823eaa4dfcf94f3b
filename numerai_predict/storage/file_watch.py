"""Notices that a file no longer has the bytes that were hashed."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.storage.files import sha256_of


class FileWatch:
    """A file that should keep its bytes; it is read again only after its status changed."""

    def __init__(self, path: Path, sha256: str) -> None:
        self.path = path
        self.sha256 = sha256
        self._status: tuple[int, ...] | None = None

    def has_changed(self, *, reread: bool = False) -> bool:
        """Whether the file has other bytes, or cannot be read.

        The first call always reads the file. With `reread`, hash the file even if its status is
        unchanged.
        """
        try:
            status = _status_of(self.path)
            if status == self._status and not reread:
                return False
            changed = sha256_of(self.path) != self.sha256
        except OSError:
            return True
        self._status = status
        return changed


def _status_of(path: Path) -> tuple[int, ...]:
    """What changes with each write: no program can set the time of the last change (ctime)."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
