"""Polls the memory, processes and files of a model and compares them with its limits."""

from __future__ import annotations

import os
import time
from pathlib import Path

from numerai_predict.contract.limits import Limits
from numerai_predict.resources.memory_limit import MemoryMeter
from numerai_predict.resources.model_cgroup import ModelCgroup
from numerai_predict.resources.proc_access import as_user
from numerai_predict.resources.process_tree import ProcessTree, descendants
from numerai_predict.resources.scratch_usage import (
    INODE_BYTES,
    deleted_files_bytes,
    directory_bytes,
)
from numerai_predict.resources.shared_memory import SharedMemoryFiles
from numerai_predict.resources.violations import LimitViolation
from numerai_predict.sandbox.identity import Identity

_SCRATCH_SECONDS, _MAX_SCRATCH_SECONDS = 0.25, 2.0
_SCRATCH_SHARE = 0.1  # at most this share of the time is spent on counting files


class ResourceMonitor:
    """Measures all processes below this one; `memory` knows the most that they used."""

    def __init__(
        self,
        limits: Limits,
        identity: Identity,
        scratch: Path,
        process: int,
        cgroup: ModelCgroup,
    ) -> None:
        self._limits = limits
        self._identity = identity
        self._scratch = scratch
        self._device = scratch.stat().st_dev
        self._next_scratch_check = 0.0
        self._scratch_bytes, self._free_bytes = 0, _free_bytes(scratch)
        shared = SharedMemoryFiles(identity, process)
        self.memory = MemoryMeter(limits.memory_bytes, identity, cgroup, shared)

    def check(self) -> LimitViolation | None:
        """The limit that the model exceeds now; `None` if it exceeds none."""
        tree = descendants(os.getpid())
        if tree.tasks > self._limits.processes:
            return LimitViolation.PROCESSES
        if self.memory.exceeds(tree):
            return LimitViolation.MEMORY
        if self._exceeds_scratch(tree):
            return LimitViolation.SCRATCH
        return None

    def _exceeds_scratch(self, tree: ProcessTree) -> bool:
        started = time.monotonic()
        written = self._free_bytes - _free_bytes(self._scratch)
        burst = self._scratch_bytes + written > self._limits.scratch_bytes
        if started < self._next_scratch_check and not burst:
            return False
        self._free_bytes -= written
        used = directory_bytes(self._scratch)
        with as_user(self._identity):
            used += deleted_files_bytes(self._device, tree.processes)
        now = time.monotonic()
        delay = max(_SCRATCH_SECONDS, (now - started) / _SCRATCH_SHARE)
        self._next_scratch_check = now + min(delay, _MAX_SCRATCH_SECONDS)
        self._scratch_bytes = used
        return used > self._limits.scratch_bytes


def _free_bytes(directory: Path) -> int:
    """Free space, less what the inodes in use count for."""
    status = os.statvfs(directory)
    return status.f_bfree * status.f_frsize + status.f_ffree * INODE_BYTES
