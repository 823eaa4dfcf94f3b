"""Memory that the kernel keeps for a model and that belongs to none of its mappings.

Where no control group counts it: page tables, structures of processes, threads and open files,
and the most that its sockets and pipes hold. A model cannot change how much that is (see
`sandbox.seccomp`).
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.resources.open_files import open_files
from numerai_predict.sandbox.process_status import status_bytes

_PROC = Path("/proc")
_DEFAULT_BUFFER_BYTES = 212_992
_PIPE_BYTES = 64 * 1024
_TASK_BYTES = 32 * 1024  # stack and structures of a process or thread
_DESCRIPTOR_BYTES = 1024  # structures of an open file, pipe, event or timer


@dataclass(frozen=True)
class KernelMemory:
    """Upper bounds in bytes."""

    page_tables: int
    sockets: int
    pipes: int
    tasks: int
    descriptors: int

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.page_tables + self.sockets + self.pipes + self.tasks + self.descriptors


def kernel_memory(processes: Iterable[int], tasks: int) -> KernelMemory:
    """What the kernel keeps for the processes and their threads."""
    page_tables = descriptors = 0
    sockets: set[int] = set()
    pipes: set[int] = set()
    for pid in processes:
        page_tables += status_bytes("VmPTE", pid)
        for status in open_files(pid):
            descriptors += 1
            if stat.S_ISSOCK(status.st_mode):
                sockets.add(status.st_ino)
            elif stat.S_ISFIFO(status.st_mode):
                pipes.add(status.st_ino)
    return KernelMemory(
        page_tables,
        2 * len(sockets) * buffer_bytes(),
        len(pipes) * _PIPE_BYTES,
        tasks * _TASK_BYTES,
        descriptors * _DESCRIPTOR_BYTES,
    )


def buffer_bytes() -> int:
    """The size of a socket's send buffer, which the last message may exceed as much again."""
    with contextlib.suppress(OSError, ValueError):
        return int((_PROC / "sys/net/core/wmem_default").read_text())
    return _DEFAULT_BUFFER_BYTES
