"""Local files: atomic writes and hashes."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PART_SUFFIX = ".part"

_CHUNK_BYTES = 1024 * 1024
_LONGEST_NAME = 200  # the temporary name is longer, and 255 bytes is the limit


@contextmanager
def part_beside(path: Path) -> Iterator[Path]:
    """Create an empty file with a temporary name in the directory of `path`.

    It is removed when the block ends, unless the block renamed it.

    Raises:
        OSError: the directory is missing or not writable, or the disk is full.
    """
    part = path.with_name(f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(4)}{PART_SUFFIX}")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A binary file that replaces `path` atomically when the block ends without exception.

    It is written under a temporary name in the same directory, flushed to the disk (fsync) and
    renamed. After an exception nothing remains. A device, pipe or socket is never replaced.

    Raises:
        OSError: the directory is missing or not writable, the disk is full, or `path` is a device,
            pipe or socket.
    """
    if is_special(path):
        raise OSError(errno.EINVAL, "a device, pipe or socket, no regular file", str(path))
    with part_beside(path) as part:
        with open(part, "wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)


def is_special(path: Path) -> bool:
    """Whether a device, pipe or socket exists there, or a symbolic link to one."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def resolve_links(path: Path) -> Path:
    """The path without symbolic links; unlike `Path.resolve`, never an exception for a loop."""
    return Path(os.path.realpath(path))


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
