"""The entrypoint of `predict.py`: verdict, result record, exit code and signals."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.temporary_files import require_temporary_directory
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.container.container_files import is_lost_with_container
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.options import parse_job
from numerai_predict.runner.pipeline import run
from numerai_predict.runner.preflight import check
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.record_file import write_record
from numerai_predict.runner.run_log import log_step, log_verdict, logger, start_logging
from numerai_predict.runner.termination import Terminated, raise_at_sigterm
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.sandbox.layers import Layers


def main(argv: Sequence[str] | None = None) -> int:
    """Run `predict.py`; returns the verdict's exit code."""
    _open_standard_streams()
    return execute(parse_job(argv)).exit_code


def _open_standard_streams() -> None:
    """Open descriptors 0 to 2 if the caller closed them: no pipe of a run may use them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def execute(job: Job) -> Record:
    """Run the job, log its verdict and write the result record that the job asks for.

    Failures are not raised: the record's `verdict` and `exit_code` describe them.
    """
    start_logging(job.debug)
    raise_at_sigterm()
    try:
        final = record_of(job)
    except KeyboardInterrupt as interrupt:
        _end_by_signal(interrupt)
    log_verdict(final.verdict, final.exit_code, final.message, final.remedy)
    return final


def record_of(job: Job) -> Record:
    """Run the job in a program that has its own log, signals and verdict.

    Failures are not raised, as in `execute`.
    """
    started = time.perf_counter()
    record = RecordBuilder(current_environment())
    try:
        supervisor_layers = harden_supervisor()
        record.conclude(Verdict.OK, _perform(job, record, supervisor_layers))
    except Exception as error:
        record.fail(error)
        logger.debug("", exc_info=error)
    record.add_seconds(Step.TOTAL, time.perf_counter() - started)
    return write_record(record.build(), job.result)


def write_failure(job: Job, error: RunError) -> None:
    """Write the result record of a job that failed before it ran, if it asks for one."""
    record = RecordBuilder(current_environment())
    record.set_model_source(job.shown_model)
    record.fail(error)
    write_record(record.build(), job.result)


def _perform(job: Job, record: RecordBuilder, supervisor_layers: Layers) -> str:
    """Perform the job; returns the message of its success."""
    require_temporary_directory()
    deadline = Deadline.after(job.deadline)
    if job.check:
        check(job, record, deadline)
        return "no problems found: the model can run in this environment"
    destination = run(job, record, deadline, supervisor_layers)
    return f"delivered to {destination}{_inside_container(job, destination)}"


def _inside_container(job: Job, destination: str) -> str:
    """Hint for a file that is lost when the container exits."""
    is_file = job.post is None and job.output_url is None
    if not is_file or not is_lost_with_container(Path(destination).parent):
        return ""
    return ", inside the container: to keep the file, mount a directory and give it as --output_dir"


def _end_by_signal(interrupt: KeyboardInterrupt) -> NoReturn:
    """Exit as the signal makes a program exit, now that everything is cleaned up."""
    number = signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT
    log_step("stopped", f"by {number.name}: nothing was delivered")
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
