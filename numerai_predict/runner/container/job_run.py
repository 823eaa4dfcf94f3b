"""Runs a job in its execution target: in a container image, or in the local Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from numerai_predict.contract.errors import InternalError
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.inspection.images import Image
from numerai_predict.runner.container.target import (
    ContainerImage,
    ExecutionTarget,
    LocalPython,
    choose_target,
)


@dataclass(frozen=True)
class JobResult:
    """The exit code of a job, and its record; `None` if a container ended without one."""

    exit_code: int
    record: Record | None


def target_of_job(
    model: str, no_container: bool, build: Callable[[Image], bool] | None = None
) -> ExecutionTarget:
    """Where the commands run a model: `choose_target`, unless `--no-container` is given."""
    if no_container:
        return LocalPython("as requested by --no-container")
    return choose_target(model, build)


def require_record(result: JobResult, target: ExecutionTarget) -> Record:
    """The record of a job.

    Raises:
        BadConfiguration: the image is of another version, which refuses this one's options.
        InternalError: the container ended without a record for another reason.
    """
    if result.record is not None:
        return result.record
    if result.exit_code == Verdict.USAGE.exit_code and isinstance(target, ContainerImage):
        raise BadConfiguration(describe_other_version(target), f"run {target.image.build_command}")
    raise InternalError(
        f"expected a record of the run in {target}, found that the container ended without one",
        "look at the log above, and check that the container engine works",
    )


def describe_other_version(target: ContainerImage) -> str:
    """What is said of an image that refuses options of this version."""
    return (
        f"expected {target} to be of this version of numerai-predict, found that it refuses the "
        f"options of this version: `{target.image.build_command}` builds it again"
    )


def run_job(target: ExecutionTarget, job: Job, run_locally: Callable[[Job], Record]) -> JobResult:
    """Run the job in its target; `run_locally` runs it in this process.

    The job's files must have absolute paths, which are the same in a container.
    """
    if isinstance(target, LocalPython):
        record = run_locally(job)
        return JobResult(record.exit_code, record)
    return _run_in_image(target, job)


def _run_in_image(target: ContainerImage, job: Job) -> JobResult:
    with temporary_directory("numerai-record-") as folder:
        result = job.result or Path(folder, "record.json")
        before = _identity(result)
        code = target.engine.run_job(target.image.name, replace(job, result=result))
        if _identity(result) in (None, before):  # an earlier run's record is not this one's
            return JobResult(code, None)
        return JobResult(code, Record.from_dict(json.loads(result.read_text())))


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is at the path: a record is written under another name and renamed."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
