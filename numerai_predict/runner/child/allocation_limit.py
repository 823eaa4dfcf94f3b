"""The kernel's limit of a process's own memory, which makes one giant allocation fail."""

from __future__ import annotations

import resource

from numerai_predict.sandbox.process_status import status_bytes

# Address space that libraries reserve and never touch (stacks of threads, arenas of allocators,
# buffers of OpenBLAS) counts against RLIMIT_DATA without being memory. What is reserved already
# is known; this much more may follow.
_RESERVE_BYTES = 1024**3


def limit_memory(limit_bytes: int | None) -> None:
    """Make a single giant allocation fail with a MemoryError in the model's own code.

    The supervisor monitors slow growth: it measures the memory in use.
    """
    if limit_bytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        untouched = status_bytes("VmData") - status_bytes("RssAnon")
        wanted = limit_bytes + untouched + _RESERVE_BYTES
        if hard == resource.RLIM_INFINITY or wanted < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def lift_memory_limit() -> None:
    """Allow this process again what it was allowed before."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
