"""A limit that a model passed, as an error that gives the limit and what to do."""

from __future__ import annotations

from enum import Enum

from numerai_predict.contract.errors import ModelCrashed, ModelTimeout, OutOfMemory, RunError
from numerai_predict.contract.limits import Limits, format_size

_SMALLER = (
    "use less at once: predict in batches of rows, keep features int8 or float32, drop copies"
)


class LimitViolation(Enum):
    """The limit that was passed."""

    MEMORY = "memory"
    PROCESSES = "processes"
    SCRATCH = "scratch"
    TIME = "time"


def violation_error(breach: LimitViolation, limits: Limits, peak_bytes: int, step: str) -> RunError:
    """The error that the end of a model for passing a limit stands for."""
    if breach is LimitViolation.MEMORY:
        return OutOfMemory(*out_of_memory(limits.memory_bytes or 0, peak_bytes))
    if breach is LimitViolation.PROCESSES:
        return ModelCrashed(
            f"the model was ended: it passed its limit of {limits.processes:,} processes and "
            "threads",
            "start fewer: n_jobs or num_threads at most the number of CPUs (hosted models get one)",
        )
    if breach is LimitViolation.SCRATCH:
        return ModelCrashed(
            f"the model was ended: its files in the scratch folder passed their limit of "
            f"{format_size(limits.scratch_bytes)}",
            "write less: keep what is needed in the pickle or in memory",
        )
    return ModelTimeout(
        f"the model passed its limit of {limits.seconds:g} s in the step: {step}",
        "make it faster (fewer trees, float32, columns chosen before work is done); "
        "--timeout moves the limit here, but hosted models get 600 s on one CPU",
    )


def out_of_memory(limit_bytes: int, peak_bytes: int) -> tuple[str, str]:
    """Message and remedy for a model that passed its memory limit."""
    return (
        f"the model passed its memory limit: limit {format_size(limit_bytes)}, "
        f"peak {format_size(peak_bytes)}",
        f"{_SMALLER}; --memory moves the limit here, but hosted models get 4 GiB",
    )


def out_of_container_memory(limit_bytes: int | None, peak_bytes: int) -> OutOfMemory:
    """The error for a model that the kernel killed at the container's own limit."""
    limit = "" if limit_bytes is None else f": limit {format_size(limit_bytes)}"
    return OutOfMemory(
        f"the model passed the memory limit of its container{limit}, "
        f"peak {format_size(peak_bytes)}; the kernel killed it",
        f"{_SMALLER}; or give the container more (docker run --memory) than --memory allows "
        "the model: the runner itself takes some 200 MiB",
    )
