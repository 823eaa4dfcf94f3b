"""Every way in which a run can fail, as a type that owns its verdict.

`message` says what was expected and what was found: its first line is the
whole story in one sentence, further lines are details (a traceback, a list).
`remedy` says what to do next. A failure that another try may mend is also a
`Transient`; nothing ever parses a text to find that out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from numerai_predict.contract.redaction import printable, redact_text
from numerai_predict.contract.verdicts import AnyVerdict, Verdict


class RunError(Exception):
    """A run that ends without predictions delivered.

    Whatever its words quote, they hold no query of a URL and no control character.
    """

    verdict: ClassVar[AnyVerdict] = Verdict.INTERNAL_ERROR

    def __init__(self, message: str, remedy: str) -> None:
        self.message = printable(redact_text(message))
        self.remedy = printable(redact_text(remedy))
        super().__init__(self.message)


class Transient(RunError):
    """A failure that the same run, tried again, may not meet."""


class FetchFailed(Exception):
    """A file could not be fetched.

    No `RunError` yet: only the caller knows whether it was the model or the data.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class FetchInterrupted(FetchFailed):
    """A file could not be fetched this time; another try may succeed.

    `pause` is how many seconds the server wants to be left alone before it.
    """

    def __init__(self, message: str, remedy: str, pause: float = 0.0) -> None:
        super().__init__(message, remedy)
        self.pause = pause


class ModelUnavailable(RunError):
    """The model could not be fetched."""

    verdict = Verdict.MODEL_UNAVAILABLE


class ModelUnreachable(ModelUnavailable, Transient):
    """The model could not be fetched this time."""


class InvalidPickle(RunError):
    """The file is not a pickle, or a truncated or corrupt one."""

    verdict = Verdict.INVALID_PICKLE


class PythonMismatch(RunError):
    """The pickle was made by another Python."""

    verdict = Verdict.PYTHON_MISMATCH


class MissingDependency(RunError):
    """The model needs a module, or an attribute of one, that is not here."""

    verdict = Verdict.MISSING_DEPENDENCY


class InvalidModel(RunError):
    """What was unpickled cannot be called with one or two arguments."""

    verdict = Verdict.INVALID_MODEL


class DatasetUnavailable(RunError):
    """The live data or the benchmarks could not be fetched or read."""

    verdict = Verdict.DATASET_UNAVAILABLE


class DatasetUnreachable(DatasetUnavailable, Transient):
    """The live data or the benchmarks could not be fetched this time."""


class ModelError(RunError):
    """The model raised."""

    verdict = Verdict.MODEL_ERROR


class ModelCrashed(RunError):
    """The model's process ended without an answer."""

    verdict = Verdict.MODEL_CRASHED


class OutOfMemory(RunError):
    """The model passed its memory limit."""

    verdict = Verdict.OUT_OF_MEMORY


class ModelTimeout(RunError):
    """The model passed its time limit."""

    verdict = Verdict.TIMEOUT


class InvalidPredictions(RunError):
    """What the model returned is not a submission."""

    verdict = Verdict.INVALID_PREDICTIONS


class UploadFailed(RunError):
    """The predictions were saved and the server refused them."""

    verdict = Verdict.UPLOAD_FAILED


class UploadInterrupted(UploadFailed, Transient):
    """The predictions were saved and could not be uploaded this time.

    `pause` is how many seconds the server wants to be left alone before another try.
    """

    def __init__(self, message: str, remedy: str, pause: float = 0.0) -> None:
        super().__init__(message, remedy)
        self.pause = pause


class SaveFailed(RunError):
    """The predictions could not be written."""

    verdict = Verdict.SAVE_FAILED


class DeadlinePassed(RunError):
    """The time for the whole run is over."""

    verdict = Verdict.DEADLINE


class SandboxUnavailable(RunError):
    """Every layer of isolation was asked for, and this machine lacks one."""

    verdict = Verdict.SANDBOX_UNAVAILABLE


class InternalError(RunError):
    """A defect of the runner; never used for anything a user can cause."""

    verdict = Verdict.INTERNAL_ERROR


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
