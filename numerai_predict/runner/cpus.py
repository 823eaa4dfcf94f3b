"""How many processors a model may really use, and telling its libraries so.

Libraries count the machine's processors and start as many threads. In a container
with a limit of one CPU that makes them slower, and takes memory for every thread.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

# Every library that models use reads one of these when it is imported.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "LOKY_MAX_CPU_COUNT",
)

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def processors(cgroups: Path = _CGROUPS, own_cgroups: Path = _OWN_CGROUPS) -> int:
    """Processors that this process may use: its affinity and its cgroups' quotas.

    A quota of one and a half counts as two. cgroup v1 and v2 are read.
    """
    allowed = len(os.sched_getaffinity(0))
    quotas = [math.ceil(quota) for quota in _quotas(cgroups, own_cgroups)]
    return max(1, min([allowed, *quotas]))


def thread_environment(count: int) -> dict[str, str]:
    """Environment variables that hold libraries to that many threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(count))


def _quotas(cgroups: Path, own_cgroups: Path) -> Iterator[float]:
    """Every quota in force, in processors: a group's own and those of its parents."""
    try:
        lines = own_cgroups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        names = controllers.split(",")
        if controllers and "cpu" not in names:
            continue
        mounts = [cgroups / "cpu", cgroups / controllers] if controllers else [cgroups]
        for mount in mounts:
            # Inside a container the path may be the host's: the mount is its own group then.
            for folder in (mount, *_below(mount, path)):
                yield from _quota(folder)


def _below(mount: Path, path: str) -> Iterator[Path]:
    folder = mount
    for part in Path(path.lstrip("/")).parts:
        folder = folder / part
        yield folder


def _quota(folder: Path) -> Iterator[float]:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        if quota != "max" and int(quota) > 0:
            yield int(quota) / int(period)
    except (OSError, ValueError):
        return
