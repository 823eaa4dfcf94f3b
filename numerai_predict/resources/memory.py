"""Memory of processes and of the machine: resident, proportional, available."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from numerai_predict.sandbox.process_status import status_bytes

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


@contextmanager
def limit_heap_growth(more_bytes: int) -> Iterator[None]:
    """Limit how much more memory this process can allocate within the block.

    A larger allocation raises `MemoryError`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = status_bytes("VmData") + more_bytes
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def available_bytes() -> int:
    """The kernel's estimate of the memory that is available without swapping (`MemAvailable`)."""
    with open(_PROC / "meminfo") as meminfo:
        lines = (line.split() for line in meminfo)
        return next(int(line[1]) * 1024 for line in lines if line[0] == "MemAvailable:")


def trim_heap() -> None:
    """Return freed memory to the system (malloc_trim(3)).

    glibc keeps fragmented free memory, so that a long-lived process seems to leak. With another C
    library this does nothing.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident_bytes(processes: Iterable[int]) -> int:
    """Resident memory (RSS) of the processes, in bytes: an upper bound of what they use.

    Pages that a fork shares with its parent process count for both. Ended processes count 0.
    """
    return sum(map(_resident, processes))


def peak_resident_bytes(pid: int) -> int:
    """The highest resident memory of a living process; 0 for one that has exited."""
    return status_bytes("VmHWM", pid)


def largest_peak_bytes(processes: Iterable[int]) -> int:
    """The highest resident memory that one of the living processes has had; 0 without any."""
    return max(map(peak_resident_bytes, processes), default=0)


def proportional_bytes(processes: Iterable[int], shared_files_bytes: int = 0) -> int:
    """Proportional memory (PSS) of the processes, in bytes: exact, but slow for much memory.

    `shared_files_bytes` is the size of their named shared memory, mapped or not.
    """
    private = mapped = 0
    for pid in processes:
        total, shared = _proportional(pid)
        private += total - shared
        mapped += shared
    return private + max(mapped, shared_files_bytes)


def _resident(pid: int) -> int:
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> tuple[int, int]:
    """PSS of a process in bytes, and the part of it that is shared memory."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return _resident(pid), 0
    sizes = dict(line.split(":", 1) for line in lines[1:])
    return _kibibytes(sizes, "Pss"), _kibibytes(sizes, "Pss_Shmem")


def _kibibytes(sizes: dict[str, str], name: str) -> int:
    return int(sizes[name].split()[0]) * 1024 if name in sizes else 0
