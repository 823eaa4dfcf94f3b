"""Limit violations, and the errors that report them with the limit and a remedy."""

from __future__ import annotations

from enum import Enum

from numerai_predict.contract.errors import ModelCrashed, ModelTimeout, OutOfMemory, RunError
from numerai_predict.contract.limits import Limits, format_size

_USE_LESS = (
    "use less memory: predict in batches of rows, keep features int8 or float32, avoid copies"
)


class LimitViolation(Enum):
    """The limit that a model exceeded."""

    MEMORY = "memory"
    PROCESSES = "processes"
    SCRATCH = "scratch"
    TIME = "time"


def violation_error(
    violation: LimitViolation, limits: Limits, peak_bytes: int, step: str
) -> RunError:
    """The error for a model that was killed because it exceeded a limit in the given step."""
    if violation is LimitViolation.MEMORY:
        return OutOfMemory(*out_of_memory(limits.memory_bytes or 0, peak_bytes))
    if violation is LimitViolation.PROCESSES:
        return ModelCrashed(
            f"the model exceeded its limit of {limits.processes:,} processes and threads, "
            "and was killed",
            "start fewer: n_jobs or num_threads at most the number of CPUs (hosted models get one)",
        )
    if violation is LimitViolation.SCRATCH:
        return ModelCrashed(
            f"the model exceeded its limit of {format_size(limits.scratch_bytes)} of files in the "
            "scratch directory, and was killed",
            "write less: keep what the model needs in the pickle or in memory",
        )
    return ModelTimeout(
        f"the model exceeded its time limit of {limits.seconds:g} s during the {step} step",
        "make it faster (fewer trees, float32, select columns first); "
        "--timeout changes the limit here, but hosted models get 600 s on one CPU",
    )


def out_of_memory(limit_bytes: int, peak_bytes: int) -> tuple[str, str]:
    """Message and remedy for a model that exceeded its memory limit."""
    return (
        f"the model exceeded its memory limit of {format_size(limit_bytes)} "
        f"(peak {format_size(peak_bytes)})",
        f"{_USE_LESS}; --memory changes the limit here, but hosted models get 4 GiB",
    )


def out_of_container_memory(limit_bytes: int | None, peak_bytes: int) -> OutOfMemory:
    """The error for a model that the kernel killed at the memory limit of its container."""
    limit = "" if limit_bytes is None else f" of {format_size(limit_bytes)}"
    return OutOfMemory(
        f"the model exceeded its container's memory limit{limit} (peak {format_size(peak_bytes)}), "
        "and the kernel killed it",
        f"{_USE_LESS}; or give the container more memory (docker run --memory) than --memory "
        "allows the model: the runner itself takes about 200 MiB",
    )
