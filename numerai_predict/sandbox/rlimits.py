"""The resource limits that the kernel enforces by itself (setrlimit(2), oom_score_adj)."""

from __future__ import annotations

import contextlib
import resource

from numerai_predict.contract.limits import Limits, format_size

_PRIORITIES = (resource.RLIMIT_RTPRIO, resource.RLIMIT_NICE)
_KILL_FIRST = "1000"  # the highest oom_score_adj


def apply_rlimits(limits: Limits) -> str:
    """Limit this process and its descendants; returns a description of the limits.

    Raises:
        OSError: the kernel refuses a limit.
    """
    # No core dumps, no queues of messages, and no priority above that of other programs.
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_MSGQUEUE, *_PRIORITIES):
        _lower(kind, 0)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_FSIZE, limits.scratch_bytes)
    # The kernel counts all processes of a user; the supervisor counts those of the model alone.
    _lower(resource.RLIMIT_NPROC, _running_tasks() + limits.processes)
    # If the machine runs out of memory, the kernel kills the model before its supervisor.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write(_KILL_FIRST)
    return (
        f"{limits.processes:,} processes and threads, {limits.open_files:,} open files, "
        f"{format_size(limits.scratch_bytes)} of scratch files, no core dumps"
    )


def _lower(kind: int, value: int) -> None:
    """Set a soft and hard limit, unless the hard limit is lower already."""
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or value < hard:
        hard = value
    resource.setrlimit(kind, (hard, hard))


def _running_tasks() -> int:
    """Processes and threads on this machine: an upper bound of those of one user."""
    with open("/proc/loadavg") as load:
        return int(load.read().split()[3].partition("/")[2])
