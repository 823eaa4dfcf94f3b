"""Compares the memory of a model with its limit: a cheap upper bound first, then exactly."""

from __future__ import annotations

import time

from numerai_predict.resources import memory
from numerai_predict.resources.kernel_memory import kernel_memory
from numerai_predict.resources.model_cgroup import ModelCgroup
from numerai_predict.resources.proc_access import as_user
from numerai_predict.resources.process_tree import ProcessTree
from numerai_predict.resources.shared_memory import SharedMemoryFiles
from numerai_predict.sandbox.identity import Identity

_EXACT_SECONDS, _MAX_EXACT_SECONDS = 0.25, 1.0
_EXACT_SHARE = 0.05  # at most this share of the time is spent on measuring exactly
# The machine has lost so much of the limit since the last time: measure now.
_BURST_SHARE = 0.25
_LIMIT_SHARE = 0.5  # the same while the upper bound exceeds the limit


class MemoryMeter:
    """The memory of a process tree.

    Pages that processes share count once: the proportional memory (PSS) of all is added. The kernel
    keeps the peak of each process, which shows what was used between two measurements.
    """

    def __init__(
        self,
        limit_bytes: int | None,
        identity: Identity,
        cgroup: ModelCgroup,
        shared: SharedMemoryFiles,
    ) -> None:
        self._limit_bytes = limit_bytes
        self._identity = identity
        self._cgroup = cgroup
        self._next_exact = time.monotonic() + _EXACT_SECONDS  # the model's libraries load first
        self._next_over = 0.0
        self._available = memory.available_bytes()
        self.shared = shared
        self._measured_peak = 0
        self._largest_process = 0

    @property
    def peak_bytes(self) -> int:
        """The most that was measured, of the whole tree or of one process."""
        return max(self._measured_peak, self._largest_process) or self._cgroup.peak_bytes()

    def exceeds(self, tree: ProcessTree) -> bool:
        """Whether the tree uses more than the limit now, or was stopped by the kernel for it."""
        if self._cgroup.memory_kills():
            self._measured_peak = max(self._measured_peak, self._cgroup.peak_bytes())
            return True
        limit, now = self._limit_bytes, time.monotonic()
        bound = memory.resident_bytes(tree.processes) + self.shared.growth_bytes()
        peak = memory.largest_peak_bytes(tree.processes)
        self._largest_process = max(self._largest_process, peak)
        over = limit is not None and bound > limit and now >= self._next_over
        if not over and now < self._next_exact and not self._is_burst(now):
            return False
        used = self._exact(tree, bound)
        spent = time.monotonic() - now
        delay = max(_EXACT_SECONDS, spent / _EXACT_SHARE)
        self._next_exact = now + spent + min(delay, _MAX_EXACT_SECONDS)
        self._available = memory.available_bytes()
        self._next_over = now + min(spent / _LIMIT_SHARE, _MAX_EXACT_SECONDS)
        self._measured_peak = max(self._measured_peak, used)
        return limit is not None and used > limit

    def _is_burst(self, now: float) -> bool:
        """Whether the machine's memory shrinks too fast to wait for the next measurement."""
        if self._limit_bytes is None or now < self._next_over:
            return False
        lost = self._available - memory.available_bytes()
        return lost > _BURST_SHARE * self._limit_bytes

    def _exact(self, tree: ProcessTree, bound: int) -> int:
        with as_user(self._identity):
            kernel = 0
            if not self._cgroup.counts_memory:
                kernel = kernel_memory(tree.processes, tree.tasks).bytes
            if bound + kernel <= self._measured_peak:
                return bound + kernel  # neither a new peak nor above the limit
            shared = self.shared.bytes_of_model(tree.processes)
            return memory.proportional_bytes(tree.processes, shared) + kernel
