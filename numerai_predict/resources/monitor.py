"""Polls the memory, processes and files of a model and compares them with its limits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from numerai_predict.contract.limits import Limits
from numerai_predict.resources import memory
from numerai_predict.resources.process_tree import ProcessTree, descendants
from numerai_predict.resources.scratch_usage import deleted_files_bytes, directory_bytes
from numerai_predict.resources.shared_memory import SharedMemoryFiles
from numerai_predict.resources.violations import LimitViolation
from numerai_predict.sandbox.identity import Identity
from numerai_predict.sandbox.syscalls import set_file_system_user

_SCRATCH_SECONDS, _MAX_SCRATCH_SECONDS = 0.25, 2.0
_SCRATCH_SHARE = 0.1  # at most this share of the time is spent on counting files


class ResourceMonitor:
    """Measures all processes below this one; `peak_bytes` is the most memory that they used."""

    def __init__(self, limits: Limits, identity: Identity, scratch: Path, process: int) -> None:
        self._limits = limits
        self._identity = identity
        self._scratch = scratch
        self._device = scratch.stat().st_dev
        self._next_scratch_check = 0.0
        self.shared = SharedMemoryFiles(identity, process)
        self.peak_bytes = 0

    def check(self) -> LimitViolation | None:
        """The limit that the model exceeds now; `None` if it exceeds none."""
        tree = descendants(os.getpid())
        if tree.tasks > self._limits.processes:
            return LimitViolation.PROCESSES
        if self._exceeds_memory(tree):
            return LimitViolation.MEMORY
        if self._exceeds_scratch(tree):
            return LimitViolation.SCRATCH
        return None

    def _exceeds_memory(self, tree: ProcessTree) -> bool:
        limit = self._limits.memory_bytes
        used = memory.resident_bytes(tree.processes)
        if limit is not None and used + self.shared.bytes() > limit:
            # The upper bound exceeds it: measure exactly, which is slow.
            with _as_user(self._identity):
                shared = self.shared.bytes_of_model(tree.processes)
                used = memory.proportional_bytes(tree.processes, shared)
        self.peak_bytes = max(self.peak_bytes, used)
        return limit is not None and used > limit

    def _exceeds_scratch(self, tree: ProcessTree) -> bool:
        started = time.monotonic()
        if started < self._next_scratch_check:
            return False
        used = directory_bytes(self._scratch)
        with _as_user(self._identity):
            used += deleted_files_bytes(self._device, tree.processes)
        now = time.monotonic()
        delay = max(_SCRATCH_SECONDS, (now - started) / _SCRATCH_SHARE)
        self._next_scratch_check = now + min(delay, _MAX_SCRATCH_SECONDS)
        return used > self._limits.scratch_bytes


@contextmanager
def _as_user(identity: Identity) -> Iterator[None]:
    """Read `/proc` as the model's user: in a container not even root may read it otherwise."""
    if identity.user is None or identity.group is None:
        yield
        return
    set_file_system_user(identity.user, identity.group)
    try:
        yield
    finally:
        set_file_system_user(os.geteuid(), os.getegid())
