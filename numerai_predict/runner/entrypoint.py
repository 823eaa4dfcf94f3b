"""The entrypoint of `predict.py`: verdict, result record, exit code and signals."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.model_check import ModelCheck
from numerai_predict.runner.options import parse_job
from numerai_predict.runner.pipeline import ModelRun
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.record_file import write_record
from numerai_predict.runner.run_log import log_step, log_verdict, start_logging
from numerai_predict.runner.termination import Terminated, raise_at_sigterm
from numerai_predict.terminal.standard_streams import open_standard_streams


def main(argv: Sequence[str] | None = None) -> int:
    """Run `predict.py`; returns the verdict's exit code."""
    open_standard_streams()
    return execute(parse_job(argv)).exit_code


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
    run = ModelCheck(job) if job.check else ModelRun(job)
    return write_record(run.execute(), job.result)


def write_failure(job: Job, error: RunError) -> None:
    """Write the result record of a job that failed before it ran, if it asks for one."""
    record = RecordBuilder(current_environment())
    record.set_model_source(job.shown_model)
    record.fail(error)
    write_record(record.build(), job.result)


def _end_by_signal(interrupt: KeyboardInterrupt) -> NoReturn:
    """Exit as the signal makes a program exit, now that everything is cleaned up."""
    number = signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT
    log_step("stopped", f"by {number.name}: nothing was delivered")
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
