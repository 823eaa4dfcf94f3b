"""Every way in which a run can fail, as a type that owns its verdict.

`message` says what was expected and what was found: its first line summarises in one sentence,
further lines are details (a traceback, a list). `remedy` says what to do next. A failure that a
retry may resolve is also a `Transient`; no code parses a message to find that out.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import ClassVar

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.foreign_text import printable_lines
from numerai_predict.contract.redaction import redact_text
from numerai_predict.contract.verdicts import AnyVerdict, Verdict


class RunError(Exception):
    """A run that ended without predictions delivered.

    Message and remedy contain no query of a URL, are bounded, and every line of them is printable,
    whatever they quote.
    """

    verdict: ClassVar[AnyVerdict] = Verdict.INTERNAL_ERROR

    def __init__(self, message: str, remedy: str) -> None:
        self.message = printable_lines(redact_text(message))
        self.remedy = printable_lines(redact_text(remedy))
        super().__init__(self.message)


class Transient(RunError):
    """A failure that a retry of the same run may avoid."""


class FetchFailed(Exception):
    """A file could not be fetched.

    Not a `RunError` yet: only the caller knows whether it was the model or the data.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class FetchInterrupted(FetchFailed):
    """A file could not be fetched because of a temporary error; a retry may succeed.

    `retry_after` is the number of seconds that the server asked to wait before a retry.
    """

    def __init__(self, message: str, remedy: str, retry_after: float = 0.0) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


class ModelUnavailable(RunError):
    """The model could not be fetched."""

    verdict = Verdict.MODEL_UNAVAILABLE


class ModelUnreachable(ModelUnavailable, Transient):
    """The model could not be fetched because of a temporary error; a retry may succeed."""


class InvalidPickle(RunError):
    """The file is not a pickle, or a truncated or corrupt one."""

    verdict = Verdict.INVALID_PICKLE


class PythonMismatch(RunError):
    """The pickle was made by another Python version."""

    verdict = Verdict.PYTHON_MISMATCH


class MissingDependency(RunError):
    """The model needs a module, or an attribute of one, that is not installed."""

    verdict = Verdict.MISSING_DEPENDENCY


class InvalidModel(RunError):
    """The unpickled object cannot be called with one or two arguments."""

    verdict = Verdict.INVALID_MODEL


class DatasetUnavailable(RunError):
    """The live data or the benchmarks could not be fetched or read."""

    verdict = Verdict.DATASET_UNAVAILABLE


class DatasetUnreachable(DatasetUnavailable, Transient):
    """Live data or benchmarks could not be fetched because of a temporary error: retry."""


class ModelError(RunError):
    """The model raised an exception."""

    verdict = Verdict.MODEL_ERROR


class ModelCrashed(RunError):
    """The model process exited without a response."""

    verdict = Verdict.MODEL_CRASHED


class OutOfMemory(RunError):
    """The model exceeded its memory limit."""

    verdict = Verdict.OUT_OF_MEMORY


class ModelTimeout(RunError):
    """The model exceeded its time limit."""

    verdict = Verdict.TIMEOUT


class InvalidPredictions(RunError):
    """The returned predictions are not a valid submission."""

    verdict = Verdict.INVALID_PREDICTIONS


class UploadFailed(RunError):
    """The predictions were saved, and the server refused them."""

    verdict = Verdict.UPLOAD_FAILED


class UploadInterrupted(UploadFailed, Transient):
    """The predictions were saved; a temporary error prevented the upload, a retry may succeed.

    `retry_after` is the number of seconds that the server asked to wait before a retry.
    """

    def __init__(self, message: str, remedy: str, retry_after: float = 0.0) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


class SaveFailed(RunError):
    """The predictions could not be written."""

    verdict = Verdict.SAVE_FAILED


class DeadlinePassed(RunError):
    """The deadline of the command is over."""

    verdict = Verdict.DEADLINE


class SandboxUnavailable(RunError):
    """`--sandbox require` was given, but this machine lacks a layer."""

    verdict = Verdict.SANDBOX_UNAVAILABLE


class InternalError(RunError):
    """A bug in the runner; never used for anything that a user can cause."""

    verdict = Verdict.INTERNAL_ERROR

    @classmethod
    def caused_by(cls, error: BaseException) -> InternalError:
        """The error that reports an unexpected exception, with its traceback as details."""
        trace = "".join(traceback.format_exception(error)).rstrip()
        return cls(
            f"a bug in numerai-predict: {brief(f'{type(error).__name__}: {error}')}\n{trace}",
            "please report this with the log above: it is a bug in the runner, not in the model",
        )


# The class that represents a verdict word received from another process.
ERROR_BY_VERDICT: Mapping[str, type[RunError]] = {
    kind.verdict.word: kind
    for kind in (
        ModelUnavailable,
        InvalidPickle,
        PythonMismatch,
        MissingDependency,
        InvalidModel,
        DatasetUnavailable,
        ModelError,
        ModelCrashed,
        OutOfMemory,
        ModelTimeout,
        InvalidPredictions,
        UploadFailed,
        SaveFailed,
        DeadlinePassed,
        SandboxUnavailable,
        InternalError,
    )
}
