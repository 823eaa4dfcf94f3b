"""The parent's eye on what a model uses: memory, processes, files."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from numerai_predict.contract.limits import Limits
from numerai_predict.resources import memory
from numerai_predict.resources.process_tree import ProcessTree, descendants
from numerai_predict.resources.shared_memory import BLOCK_BYTES, SharedMemoryFiles
from numerai_predict.resources.violations import LimitViolation
from numerai_predict.sandbox.identity import Identity
from numerai_predict.sandbox.syscalls import set_file_system_user

_SCRATCH_SECONDS, _LONGEST_SCRATCH_SECONDS = 0.25, 2.0
_SCRATCH_SHARE = 0.1  # of the time goes into counting many files


class ResourceMonitor:
    """Counts what the processes below this one use; `peak_bytes` is their most memory."""

    def __init__(self, limits: Limits, identity: Identity, scratch: Path) -> None:
        self._limits = limits
        self._identity = identity
        self._scratch = scratch
        self._device = scratch.stat().st_dev
        self._next_count = 0.0
        self.shared = SharedMemoryFiles(identity)
        self.peak_bytes = 0

    def check(self) -> LimitViolation | None:
        """The limit that is passed now, if one is."""
        family = descendants(os.getpid())
        if family.tasks > self._limits.processes:
            return LimitViolation.PROCESSES
        if self._passes_memory(family):
            return LimitViolation.MEMORY
        if self._passes_scratch(family):
            return LimitViolation.SCRATCH
        return None

    def _passes_memory(self, family: ProcessTree) -> bool:
        limit = self._limits.memory_bytes
        used = memory.resident_bytes(family.processes)
        if limit is not None and used + self.shared.bytes() > limit:
            with _as_user(self._identity):
                own = self.shared.bytes_of_model(family.processes)
                used = memory.proportional_bytes(family.processes, own)
        self.peak_bytes = max(self.peak_bytes, used)
        return limit is not None and used > limit

    def _passes_scratch(self, family: ProcessTree) -> bool:
        started = time.monotonic()
        if started < self._next_count:
            return False
        used = sum(_named(self._scratch))
        with _as_user(self._identity):
            used += sum(_unnamed(self._device, family.processes))
        now = time.monotonic()
        pause = max(_SCRATCH_SECONDS, (now - started) / _SCRATCH_SHARE)
        self._next_count = now + min(pause, _LONGEST_SCRATCH_SECONDS)
        return used > self._limits.scratch_bytes


@contextmanager
def _as_user(identity: Identity) -> Iterator[None]:
    """Look at `/proc` as the model's user: in a container not even root may otherwise."""
    if identity.user is None or identity.group is None:
        yield
        return
    set_file_system_user(identity.user, identity.group)
    try:
        yield
    finally:
        set_file_system_user(os.geteuid(), os.getegid())


def _named(folder: Path) -> Iterator[int]:
    """Bytes on the disk of every file below the folder; links are not followed."""
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                yield Path(root, name).lstat().st_blocks * BLOCK_BYTES
            except OSError:
                continue  # removed meanwhile


def _unnamed(device: int, processes: list[int]) -> Iterator[int]:
    """Bytes of the files on the device that were removed and are still open."""
    seen: set[int] = set()
    for pid in processes:
        for facts in _open_files(pid):
            if (facts.st_dev, facts.st_nlink) == (device, 0) and facts.st_ino not in seen:
                seen.add(facts.st_ino)
                yield facts.st_blocks * BLOCK_BYTES


def _open_files(pid: int) -> Iterator[os.stat_result]:
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                yield descriptor.stat()
    except OSError:
        return  # it ended, or hides them
