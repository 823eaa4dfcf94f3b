"""The hosted check: runs a pickle as hosted compute does, before it is uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import ERROR_BY_VERDICT, InternalError
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.contract.tournament_errors import ModelRefused
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.runner.container.job_run import require_record, run_job
from numerai_predict.runner.container.target import (
    ExecutionTarget,
    LocalPython,
    image_of_python,
)
from numerai_predict.runner.entrypoint import record_of
from numerai_predict.runner.run_log import log_step

# Failures of the model itself: it fails in the same way where it is hosted.
_REFUSED = {
    each.word
    for each in (
        Verdict.INVALID_PICKLE,
        Verdict.INVALID_MODEL,
        Verdict.MODEL_ERROR,
        Verdict.MODEL_CRASHED,
        Verdict.OUT_OF_MEMORY,
        Verdict.TIMEOUT,
        Verdict.INVALID_PREDICTIONS,
    )
}


@dataclass(frozen=True)
class HostedData:
    """The live data and the benchmark models that a hosted model would get now."""

    live: Path
    benchmarks: Path


def check_as_hosted(
    path: Path, inspection: Inspection, python: str, data: HostedData, deadline: Deadline
) -> None:
    """Run the pickle with the Python that will host it; warn if that Python is not available.

    Raises:
        ModelRefused: hosted compute would refuse the model or its predictions.
        RunError: it could not be decided.
    """
    target = _target(inspection, python)
    if target is None:
        log_step(
            "warning",
            f"Python {python} is not available, locally or as a matching image: the pickle was not "
            "run before the upload, and the tournament's validation decides",
        )
        return
    log_step("hosted", target.announcement)
    with temporary_directory("numerai-hosted-") as folder:
        job = Job(
            model=str(path.absolute()),
            dataset=str(data.live.absolute()),
            benchmarks=str(data.benchmarks.absolute()),
            output_dir=Path(folder),
            deadline=deadline.left(),
            hosted=True,
            allow_version_mismatch=True,  # `upload` has compared them already
        )
        record = require_record(run_job(target, job, record_of), target)
    _require_accepted(path, record)


def _target(inspection: Inspection, python: str) -> ExecutionTarget | None:
    image = image_of_python(inspection, python)
    if image is not None or python != RUNNING_PYTHON:
        return image
    return LocalPython(f"there is no image of Python {python} that fits the pickle")


def _require_accepted(path: Path, record: Record) -> None:
    if record.verdict == Verdict.OK.word:
        return
    if record.verdict == Verdict.MISSING_DEPENDENCY.word:
        log_step("warning", f"the model could not be run here: {record.message}")
        return
    if record.verdict not in _REFUSED:
        raise ERROR_BY_VERDICT.get(record.verdict, InternalError)(
            record.message, record.remedy or ""
        )
    raise ModelRefused(
        f"expected a model that hosted compute accepts, found that {path.name} ends with "
        f"{record.verdict}; nothing was uploaded: {record.message}",
        f"{record.remedy or 'correct the model'}; --ignore-inspection uploads it anyway",
    )
