"""The system calls that name a process to act on: signals, priorities, schedulers, processors.

The kernel lets them reach every process of the same user. A model that runs as the supervisor's
user may name its own processes alone, and only the supervisor can tell which those are: the
kernel asks it (`resources.process_calls`), through a listener of the seccomp filter. Kernels
without that compare with the model's own process id.
"""

from __future__ import annotations

import platform
import re

# The call, and which of its arguments is the process id. `kill` takes groups too, as negative ids.
SIGNALS = {
    "kill": 0,
    "tkill": 0,
    "tgkill": 0,
    "rt_sigqueueinfo": 0,
    "rt_tgsigqueueinfo": 0,
    "pidfd_open": 0,
}
SCHEDULING = {
    "sched_setaffinity": 0,
    "sched_setattr": 0,
    "sched_setparam": 0,
    "sched_setscheduler": 0,
    "setpriority": 1,
    "ioprio_set": 1,
}
TARGETS = {**SIGNALS, **SCHEDULING}

# The first argument of `setpriority` and `ioprio_set` for a process group and for a user.
GROUP_OF = {"setpriority": 1, "ioprio_set": 2}
USER_OF = {"setpriority": 2, "ioprio_set": 3}

_SINCE = (5, 5)  # the supervisor may let a call continue (SECCOMP_USER_NOTIF_FLAG_CONTINUE)


def kernel_asks(release: str | None = None) -> bool:
    """Whether this kernel can ask the supervisor whether a call may continue."""
    version = re.match(r"(\d+)\.(\d+)", release or platform.release())
    return version is not None and (int(version[1]), int(version[2])) >= _SINCE
