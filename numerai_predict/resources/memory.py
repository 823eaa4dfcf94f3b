"""How much memory processes really use."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


@contextmanager
def limit_heap_growth(more_bytes: int) -> Iterator[None]:
    """Let this process take that much more memory at most, within the block.

    What asks for more gets a `MemoryError`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _data_bytes() + more_bytes
    if hard == resource.RLIM_INFINITY or wanted < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))


def available_bytes() -> int:
    """Memory of this machine that can be had without swapping, by the kernel's estimate."""
    with open(_PROC / "meminfo") as facts:
        lines = (line.split() for line in facts)
        return next(int(line[1]) * 1024 for line in lines if line[0] == "MemAvailable:")


def trim_heap() -> None:
    """Hand memory that was freed back to the system.

    glibc keeps what lies scattered: a process that lives long seems to leak. Other C
    libraries have no such call, and nothing is done.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident_bytes(processes: Iterable[int]) -> int:
    """Resident memory of the processes, in bytes.

    Pages that a fork shares with its parent are counted for both: an upper bound.
    Processes that are gone count nothing.
    """
    return sum(map(_resident, processes))


def proportional_bytes(processes: Iterable[int], shared_files_bytes: int = 0) -> int:
    """The same with every shared page counted once: exact, but slow for much memory.

    `shared_files_bytes` are those of shared memory that has names, mapped or not.
    """
    own = mapped = 0
    for pid in processes:
        of_process, of_shared = _proportional(pid)
        own += of_process - of_shared
        mapped += of_shared
    return own + max(mapped, shared_files_bytes)


def _resident(pid: int) -> int:
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> tuple[int, int]:
    """A process's share of memory in bytes: all of it, and what of it is shared memory."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return _resident(pid), 0
    sizes = dict(line.split(":", 1) for line in lines[1:])
    return _kibibytes(sizes, "Pss"), _kibibytes(sizes, "Pss_Shmem")


def _kibibytes(sizes: dict[str, str], name: str) -> int:
    return int(sizes[name].split()[0]) * 1024 if name in sizes else 0
