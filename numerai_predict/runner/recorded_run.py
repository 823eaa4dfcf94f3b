"""A run that owns its result record: built in one place, after success and failure alike."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.run_log import logger
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.sandbox.layers import Layers


class RecordedRun(ABC):
    """One run of a job. `_record` receives what each step returned, as far as the run comes."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._deadline = Deadline.after(job.deadline)
        self._record = RecordBuilder(current_environment())

    def execute(self) -> Record:
        """Run the job; returns its record, whose `verdict` describes a failure too."""
        started = time.perf_counter()
        try:
            self._record.conclude(Verdict.OK, self._perform_hardened())
        except Exception as error:
            self._record.fail(error)
            logger.debug("", exc_info=error)
        self._record.add_seconds(Step.TOTAL, time.perf_counter() - started)
        return self._record.build()

    def _perform_hardened(self) -> str:
        supervisor_layers = harden_supervisor()
        with temporary_directory("numerai-fetch-") as directory:
            return self._perform(Path(directory), supervisor_layers)

    @abstractmethod
    def _perform(self, directory: Path, supervisor_layers: Layers) -> str:
        """Perform the job; returns the message of its success.

        `directory` receives what is fetched. `supervisor_layers` protect this process from the
        model.

        Raises:
            RunError: the run ended without its result.
        """
