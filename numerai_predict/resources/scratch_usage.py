"""How many bytes a model's files take on disk: those in its scratch directory and deleted ones.

Each file and directory counts as 16 KiB at least: a file system has a fixed number of inodes, often
one for that many bytes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from numerai_predict.resources.open_files import BLOCK_BYTES, open_files

INODE_BYTES = 16 * 1024  # mke2fs.conf(5), inode_ratio


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
                    yield INODE_BYTES
                    continue
                with contextlib.suppress(OSError):  # deleted meanwhile
                    blocks = entry.stat(follow_symlinks=False).st_blocks
                    yield max(blocks * BLOCK_BYTES, INODE_BYTES)
