"""Files on this machine: written whole or not at all, and their hashes."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PART_SUFFIX = ".part"

_CHUNK_BYTES = 1024 * 1024
_LONGEST_NAME = 200  # a name of 255 bytes leaves no room for a temporary one


@contextmanager
def part_beside(path: Path) -> Iterator[Path]:
    """A new, empty file under a temporary name in the folder of `path`.

    It is gone when the block ends, unless the block renamed it.

    Raises:
        OSError: the folder is missing, not writable or full.
    """
    part = path.with_name(f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(4)}{PART_SUFFIX}")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A handle whose bytes appear at `path` all at once, when the block ends well.

    They are written under a temporary name in the same folder, flushed to the
    disk and renamed. After an exception nothing is left behind.

    Raises:
        OSError: the folder is missing, not writable or full.
    """
    with part_beside(path) as part:
        with open(part, "wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
