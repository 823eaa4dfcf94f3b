"""How a model process exited without a response."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.bootstrap import PACKAGE
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.protocol import FAULTS_FILE

_MAX_FAULTS_CHARACTERS = 16 * 1024


@dataclass(frozen=True)
class CrashReport:
    """How the model process exited without the frame that was due.

    `status` is its exit status, negative for a signal, `None` if it was still alive and had to
    be killed; `malformed` describes a frame that broke the protocol; `calls` are the lines of
    Python at a fatal signal, innermost first.
    """

    status: int | None
    malformed: str | None = None
    calls: tuple[str, ...] = ()


class ModelProcessExited(Exception):
    """The process exited, or broke the protocol, without the frame that was due."""

    def __init__(self, crash: CrashReport) -> None:
        super().__init__(repr(crash))
        self.crash = crash


def read_crash_report(status: int | None, scratch: Path) -> CrashReport:
    """The report of a process with this exit status and scratch directory."""
    if status is None or status >= 0:
        return CrashReport(status)
    try:
        with open(scratch / FAULTS_FILE, errors="replace") as faults:
            lines = [line.strip() for line in faults.read(_MAX_FAULTS_CHARACTERS).splitlines()]
    except OSError:
        lines = []  # the model removed it
    calls = (line for line in lines if line.startswith("File "))
    own = (str(PACKAGE), 'File "<string>"')
    model_calls = (one_line(call) for call in calls if not any(mark in call for mark in own))
    return CrashReport(status, calls=tuple(model_calls))
