"""How many processors a model may really use, and telling its libraries so.

Libraries count the machine's processors and start as many threads. In a container
with a limit of one CPU that makes them slower, and takes memory for every thread.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from numerai_predict.resources import cgroups

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


def usable_cpus(mount: Path = cgroups.MOUNT, own: Path = cgroups.OWN) -> int:
    """Processors that this process may use: its affinity and its cgroups' quotas.

    A quota of one and a half counts as two. cgroup v1 and v2 are read.
    """
    allowed = len(os.sched_getaffinity(0))
    found = (_quota(folder) for folder in cgroups.cgroup_paths("cpu", mount, own))
    quotas = [math.ceil(quota) for quotas in found for quota in quotas]
    return max(1, min([allowed, *quotas]))


def thread_environment(count: int) -> dict[str, str]:
    """Environment variables that hold libraries to that many threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(count))


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
