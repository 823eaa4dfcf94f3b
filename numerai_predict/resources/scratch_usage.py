"""How many bytes a model's files take on disk: those in its scratch directory and deleted ones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from numerai_predict.resources.open_files import BLOCK_BYTES, open_files


def directory_bytes(directory: Path) -> int:
    """Bytes on disk of every file below the directory; symbolic links are not followed."""
    return sum(_sizes(directory))


def deleted_files_bytes(device: int, processes: Iterable[int]) -> int:
    """Bytes on the device of the deleted files that the processes hold open."""
    files: dict[int, int] = {}
    for pid in processes:
        for status in open_files(pid):
            if (status.st_dev, status.st_nlink) == (device, 0):
                files[status.st_ino] = status.st_blocks * BLOCK_BYTES
    return sum(files.values())


def _sizes(directory: Path) -> Iterator[int]:
    pending = [str(directory)]  # not `os.walk`, which calls itself once per level (Python 3.11)
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                    continue
                with contextlib.suppress(OSError):  # deleted meanwhile
                    yield entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
