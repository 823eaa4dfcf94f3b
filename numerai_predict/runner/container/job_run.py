"""Runs a job in its execution target: in a container image, or in the local Python."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import InternalError
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.inspection.images import Image
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.target import (
    ContainerImage,
    ExecutionTarget,
    LocalPython,
    choose_target,
)
from numerai_predict.runner.fetching import fetched_pickle
from numerai_predict.runner.record_file import write_record
from numerai_predict.runner.run_log import log_verdict, start_logging


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


@contextmanager
def target_and_job(
    job: Job, no_container: bool, build: Callable[[Image], bool] | None = None
) -> Iterator[tuple[ExecutionTarget, Job]]:
    """Where the job runs; where an image is chosen by its model, that is fetched for the block.

    Raises:
        ModelUnavailable: the model cannot be fetched.
        DeadlinePassed: the job's deadline is over.
    """
    if no_container or "://" not in job.model or Engine.detect(os.environ) is None:
        yield target_of_job(job.model, no_container, build), job
        return
    deadline = Deadline.after(job.deadline)
    with fetched_pickle(job.model, deadline) as path:
        target = target_of_job(str(path), no_container, build)
        left = deadline.left()
        yield target, replace(job, model=str(path), model_source=job.shown_model, deadline=left)


def require_record(result: JobResult, target: ExecutionTarget) -> Record:
    """The record of a job.

    Raises:
        InternalError: the container ended without a record.
    """
    if result.record is not None:
        return result.record
    remedy = "look at the log above, and check that the container engine works"
    if isinstance(target, ContainerImage):
        remedy += f"; `{target.image.build_command}` makes an older image again"
    raise InternalError(
        f"expected a record of the run in {target}, found that it ended without one", remedy
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
    """Run the job in an image.

    The container writes its record into a directory of its own: the one that `--result` names may
    hold anything of the user's, and is not mounted.
    """
    with temporary_directory("numerai-record-") as folder:
        result = Path(folder, "record.json")
        code = target.engine.run_job(target.image.name, replace(job, result=result))
        if not result.is_file():
            return JobResult(code, None)
        ended = Record.from_dict(json.loads(result.read_text()))
    start_logging(job.debug)
    written = write_record(ended, job.result)
    if written is ended:
        return JobResult(code, ended)
    log_verdict(written.verdict, written.exit_code, written.message, written.remedy)
    return JobResult(written.exit_code, written)
