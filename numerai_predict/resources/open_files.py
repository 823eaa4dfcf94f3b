"""What a process has open, from `/proc`."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

BLOCK_BYTES = 512  # of `st_blocks`, whatever the file system


def open_files(pid: int) -> Iterator[os.stat_result]:
    """The status of each descriptor; nothing if it has ended, or may not be read."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            for descriptor in descriptors:
                with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                    yield descriptor.stat()
    except OSError:
        return


def has_descriptors_in_transit(processes: Iterable[int]) -> bool:
    """Whether a socket of the processes has descriptors in its queue, which no process has open."""
    return any(_in_transit(pid) for pid in processes)


def _in_transit(pid: int) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(descriptor.stat().st_mode):
                    information = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text()
                    queued = (each for each in information.splitlines() if "scm_fds:" in each)
                    if any(int(line.split()[1]) for line in queued):
                        return True
    return False
