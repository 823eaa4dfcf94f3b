"""How many CPUs a model may use, and the variables that set the thread counts of its libraries.

Libraries start one thread per CPU of the machine. In a container with a limit of one CPU this is
slower, and every thread takes memory.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from numerai_predict.resources import cgroups

# Each numeric library reads one of these when it is imported.
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
    """The number of CPUs that the affinity and the cgroup quotas (v1, v2) of this process allow.

    Quotas are rounded up.
    """
    affinity = len(os.sched_getaffinity(0))
    directories = cgroups.cgroup_paths("cpu", mount, own)
    quotas = [math.ceil(quota) for directory in directories for quota in _quota(directory)]
    return max(1, min([affinity, *quotas]))


def thread_environment(count: int) -> dict[str, str]:
    """Environment variables that limit libraries to that many threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(count))


def _quota(directory: Path) -> Iterator[float]:
    """The quota of one control group in CPUs, if it has one."""
    try:
        if (directory / "cpu.max").exists():
            quota, period = (directory / "cpu.max").read_text().split()
        else:
            quota = (directory / "cpu.cfs_quota_us").read_text()
            period = (directory / "cpu.cfs_period_us").read_text()
        if quota != "max" and int(quota) > 0:
            yield int(quota) / int(period)
    except (OSError, ValueError):
        return
