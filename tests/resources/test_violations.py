import pytest

from numerai_predict.contract.errors import ModelCrashed, ModelTimeout, OutOfMemory
from numerai_predict.contract.limits import Limits
from numerai_predict.resources.violations import (
    LimitViolation,
    out_of_container_memory,
    violation_error,
)

LIMITS = Limits(memory_bytes=512 * 1024**2, seconds=2.5, processes=1_024, scratch_bytes=1024**3)


@pytest.mark.parametrize(
    ("violation", "kind", "message"),
    [
        (
            LimitViolation.MEMORY,
            OutOfMemory,
            "the model exceeded its memory limit of 512.0 MiB (peak 600.0 MiB)",
        ),
        (
            LimitViolation.TIME,
            ModelTimeout,
            "the model exceeded its time limit of 2.5 s during the predict step",
        ),
        (
            LimitViolation.PROCESSES,
            ModelCrashed,
            "the model exceeded its limit of 1,024 processes and threads, and was killed",
        ),
        (
            LimitViolation.SCRATCH,
            ModelCrashed,
            "the model exceeded its limit of 1.0 GiB of files in the scratch directory, "
            "and was killed",
        ),
    ],
)
def test_a_violation_names_the_limit(violation, kind, message):
    error = violation_error(violation, LIMITS, 600 * 1024**2, "predict")
    assert type(error) is kind
    assert error.message == message
    assert error.remedy


@pytest.mark.parametrize("limit", [None, 1024**3])
def test_the_containers_limit_is_named_where_it_is_known(limit):
    error = out_of_container_memory(limit, 600 * 1024**2)
    assert ("memory limit of 1.0 GiB" in error.message) == (limit is not None)
    assert "docker run --memory" in error.remedy
