"""Temporary directories of a fleet run: a later run removes what a killed process left behind.

Each is locked by the process that made it. The kernel frees the lock of a process that was
killed, so that `remove_abandoned` finds the directory and removes it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from numerai_predict.contract.temporary_files import require_temporary_directory
from numerai_predict.storage.file_lock import LockHeld, LockUnsupported, file_lock

PREFIX = "numerai-fleet-"
_LOCK = ".lock"
_LOCK_SECONDS = 5.0
_MAX_ATTEMPTS = 10
_REMOVE_SECONDS, _RETRY_SECONDS = 10.0, 0.05


class FleetDirectory:
    """A new directory below `parent` (by default TMPDIR), which only this user may enter.

    `close` removes it; so does the end of the process.

    Raises:
        SaveFailed: this user may write to no directory for temporary files.
        OSError: it cannot be created.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._lock = contextlib.ExitStack()
        self.path = self._create(parent or require_temporary_directory())
        atexit.register(self.close)

    def close(self) -> None:
        """Remove it and everything in it."""
        atexit.unregister(self.close)
        _remove(self.path)
        self._lock.close()

    def _create(self, parent: Path) -> Path:
        """A new directory with its lock.

        This is no `RetryPolicy`: a wait would not help. Each attempt makes another
        directory, because another process removed the last one before it was locked.
        """
        for _ in range(_MAX_ATTEMPTS):
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            # `remove_abandoned` of another process may be faster than the lock.
            with contextlib.suppress(FileNotFoundError, LockUnsupported):
                self._lock.enter_context(file_lock(path / _LOCK, wait=_LOCK_SECONDS))
            if path.is_dir():
                return path
            self._lock.close()
        raise FileNotFoundError(f"a temporary directory was removed {_MAX_ATTEMPTS} times")


def remove_abandoned(parent: Path | None = None) -> None:
    """Remove the directories below `parent` (by default TMPDIR) whose process has ended."""
    for lock in (parent or require_temporary_directory()).glob(f"{PREFIX}*/{_LOCK}"):
        with contextlib.suppress(LockHeld, OSError):
            if lock.lstat().st_uid == os.getuid():
                with file_lock(lock):
                    _remove(lock.parent)


def _remove(path: Path) -> None:
    """Remove the directory, again while a process that is being killed writes into it."""
    until = time.monotonic() + _REMOVE_SECONDS
    while path.exists() and time.monotonic() < until:
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            time.sleep(_RETRY_SECONDS)
