"""A control group of its own for each model: the kernel counts and limits what it uses.

Version 1 has a group for each controller, version 2 one for all. A group is made below the
one of this process, where that may be written: by root, in a container that has its control
groups writable, or in a part of the tree that systemd has delegated.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from numerai_predict.contract.limits import Limits, format_size
from numerai_predict.resources import cgroups, container_memory
from numerai_predict.resources.cgroups import CgroupUnavailable

_PREFIX = "numerai-model-"
_PERIOD_MICROSECONDS = 100_000
# The supervisor sees a model that has more tasks than its limit only if the kernel allows them.
_MORE_TASKS = 64
_REMOVE_SECONDS, _POLL_SECONDS = 2.0, 0.005


@dataclass(frozen=True)
class ModelCgroup:
    """The groups of a model by controller; `reason` says why there is none for memory."""

    groups: dict[str, Path] = field(default_factory=dict)
    reason: str = ""

    @property
    def counts_memory(self) -> bool:
        """Whether the kernel counts and limits the memory."""
        return "memory" in self.groups

    def memory_kills(self) -> int:
        """How many processes the kernel has killed because the group reached its memory limit."""
        return container_memory.kills_of(self.groups["memory"]) if self.counts_memory else 0

    def peak_bytes(self) -> int:
        """The most memory that the group had, with cached files; 0 if unknown."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            with contextlib.suppress(OSError, KeyError):
                return int((self.groups["memory"] / name).read_text())
        return 0

    def remove(self) -> None:
        """Remove the groups, whose processes were killed."""
        until = time.monotonic() + _REMOVE_SECONDS
        for group in set(self.groups.values()):
            while not _removed(group) and time.monotonic() < until:
                time.sleep(_POLL_SECONDS)


def create_model_cgroup(limits: Limits, cpus: int, pid: int) -> ModelCgroup:
    """Groups with the limits and that many CPUs, for the controllers that this machine allows.

    The process, which has neither started others nor run code of a model, is moved into them.
    """
    name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    groups: dict[str, Path] = {}
    reason = ""
    for controller in _controllers(cpus):
        try:
            parent = cgroups.writable_parent(controller)
            _remove_abandoned(parent)
            group = parent / name
            with contextlib.suppress(FileExistsError):  # version 2: made for another controller
                group.mkdir()
            _set_limits(group, controller, limits, cpus)
            _enter(group, pid)
            groups[controller] = group
        except (OSError, CgroupUnavailable) as error:
            if controller == "memory":
                reason = str(error) if isinstance(error, CgroupUnavailable) else _why(error)
    return ModelCgroup(groups, reason)


def _controllers(cpus: int) -> tuple[str, ...]:
    """Those whose limits are below what the machine has."""
    return ("memory", "pids", "cpu") if cpus < (os.cpu_count() or 1) else ("memory", "pids")


def describe(cgroup: ModelCgroup, limits: Limits) -> str:
    """What counts the memory of a model: the layer `memory` of the result record."""
    limit = limits.memory_bytes
    size = "no limit" if limit is None else format_size(limit)
    if cgroup.counts_memory:
        version = 2 if (cgroup.groups["memory"] / "cgroup.controllers").exists() else 1
        others = ", ".join(name for name in cgroup.groups if name != "memory")
        return (
            f"control group (version {version}): the kernel counts all memory and limits it to "
            f"{size}; it limits {others or 'nothing else'} too"
        )
    return (
        f"counted by the runner, {size}: processes, page tables, shared memory and sockets; "
        f"no control group ({cgroup.reason})"
    )


def _set_limits(group: Path, controller: str, limits: Limits, cpus: int) -> None:
    if controller == "memory" and limits.memory_bytes is not None:
        limit = str(limits.memory_bytes)
        _write_first(group, limit, "memory.max", "memory.limit_in_bytes")
        # Without the swap controller memory can be swapped, and still belongs to the group.
        with contextlib.suppress(OSError):
            _write_first(group, "0", "memory.swap.max")
        with contextlib.suppress(OSError):
            _write_first(group, limit, "memory.memsw.limit_in_bytes")
        with contextlib.suppress(OSError):
            _write_first(group, "1", "memory.oom.group")
    elif controller == "pids":
        _write_first(group, str(limits.processes + _MORE_TASKS), "pids.max")
    elif controller == "cpu":
        quota = cpus * _PERIOD_MICROSECONDS
        if (group / "cpu.max").exists():
            _write_first(group, f"{quota} {_PERIOD_MICROSECONDS}", "cpu.max")
        else:
            _write_first(group, str(quota), "cpu.cfs_quota_us")


def _enter(group: Path, pid: int) -> None:
    try:
        (group / "cgroup.procs").write_text(str(pid))
    except ProcessLookupError:  # it has ended
        return
    except OSError:
        _removed(group)
        raise


def _write_first(group: Path, text: str, *names: str) -> None:
    """Write into the first of the files that exists.

    Raises:
        OSError: none exists, or the kernel refuses.
    """
    present = [group / name for name in names if (group / name).exists()]
    file = present[0] if present else group / names[0]
    with open(file, "r+") as limit:  # a missing file is not made
        limit.write(text)


def _remove_abandoned(parent: Path) -> None:
    """Remove the groups of supervisors that have ended without doing so (SIGKILL)."""
    for group in parent.glob(f"{_PREFIX}*-*"):
        pid = group.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            _removed(group)


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _why(error: OSError) -> str:
    return f"{error.filename or 'the control group'}: {error.strerror}"
