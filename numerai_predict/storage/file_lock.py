"""File locks between processes: one exclusive kernel lock (flock) per lock file.

The kernel frees the lock when its holder ends, also by SIGKILL. The lock file stays where it
is: it holds no data, and its existence means nothing. Its descriptor is not inherited by
programs that the holder starts, so a model process can neither hold nor free it.

A lock serializes work; it does not make a file whole. Write files with
`storage.files.atomic_write` also while holding it.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numerai_predict.contract.deadline import Deadline

if TYPE_CHECKING:
    from filelock import UnixFileLock

_MODE = 0o600
_POLL_SECONDS = 0.05
_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


class LockHeld(Exception):
    """Another process, or another part of this one, holds the lock; the wait for it is over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"expected the lock {path} to be free, found that it is held")


class LockUnsupported(OSError):
    """The file system, or this Python, has no kernel locks; `strerror` says which."""


@contextmanager
def file_lock(path: Path, wait: float | Deadline = 0.0) -> Iterator[None]:
    """Hold the exclusive lock of `path` for the time of the block.

    `wait` is how long to wait for another holder: 0 for a single attempt, a number of
    seconds, or a deadline, which may be infinite. A missing lock file is created.

    Callers map the errors to their own:

    - to fail at once: `except LockHeld: raise TrainingBusy(...)`;
    - to wait for a deadline: `except LockHeld: deadline.check(step)`, which raises
      `DeadlinePassed` with the name of the step;
    - to go on without: `except (LockHeld, LockUnsupported)`, as the cache does.

    An `except LockHeld` around the block would also catch that of another lock taken inside
    it: where this matters, enter the lock with an `ExitStack` inside the `try` alone.

    Raises:
        LockHeld: another holder did not release it in time.
        LockUnsupported: there are no kernel locks here.
        OSError: the lock file cannot be opened.
    """
    lock = _new_lock(path)
    _acquire(lock, path, _timeout(wait))
    try:
        yield
    finally:
        lock.release()


def _new_lock(path: Path) -> UnixFileLock:
    try:
        from filelock import UnixFileLock
    except ImportError as error:  # an image that was built before it was a dependency
        raise LockUnsupported(errno.ENOSYS, "the package filelock is not installed") from error
    # A generator may be closed by another thread than the one that opened it.
    options: dict[str, Any] = {"mode": _MODE, "thread_local": False}
    if hasattr(UnixFileLock, "fallback_to_soft"):  # since filelock 4
        options["fallback_to_soft"] = False
    return UnixFileLock(str(path), **options)


def _acquire(lock: UnixFileLock, path: Path, timeout: float) -> None:
    from filelock import SoftFileLock, Timeout

    try:
        lock.acquire(timeout=timeout, poll_interval=_POLL_SECONDS)
    except Timeout:
        raise LockHeld(path) from None
    except NotImplementedError as error:  # filelock before 3.24 says so in this way
        raise _unsupported(path) from error
    except OSError as error:
        if error.errno in _WITHOUT_LOCKS:
            raise LockUnsupported(error.errno, error.strerror, str(path)) from error
        raise
    if isinstance(lock, SoftFileLock):  # filelock 3.24 and later change the lock's class
        lock.release()
        raise _unsupported(path)


def _unsupported(path: Path) -> LockUnsupported:
    return LockUnsupported(errno.ENOSYS, "the file system has no locks", str(path))


def _timeout(wait: float | Deadline) -> float:
    """The timeout of filelock, where a negative number means no limit."""
    seconds = wait.remaining() if isinstance(wait, Deadline) else wait
    return -1.0 if math.isinf(seconds) else max(seconds, 0.0)
