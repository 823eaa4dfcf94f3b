"""The ways in which a run can end: one word and one exit code each."""

from __future__ import annotations

from enum import Enum


class AnyVerdict(Enum):
    """A way to end; `word` and `exit_code` are public, unique among all, and never reused."""

    def __init__(self, word: str, exit_code: int) -> None:
        self.word = word
        self.exit_code = exit_code


class Verdict(AnyVerdict):
    """How a run ended."""

    OK = ("ok", 0)
    USAGE = ("usage", 2)
    MODEL_UNAVAILABLE = ("model_unavailable", 10)
    INVALID_PICKLE = ("invalid_pickle", 11)
    PYTHON_MISMATCH = ("python_mismatch", 12)
    MISSING_DEPENDENCY = ("missing_dependency", 13)
    INVALID_MODEL = ("invalid_model", 14)
    DATASET_UNAVAILABLE = ("dataset_unavailable", 15)
    MODEL_ERROR = ("model_error", 20)
    MODEL_CRASHED = ("model_crashed", 21)
    OUT_OF_MEMORY = ("out_of_memory", 22)
    TIMEOUT = ("timeout", 23)
    INVALID_PREDICTIONS = ("invalid_predictions", 30)
    UPLOAD_FAILED = ("upload_failed", 40)
    SAVE_FAILED = ("save_failed", 41)
    DEADLINE = ("deadline", 50)
    SANDBOX_UNAVAILABLE = ("sandbox_unavailable", 60)
    INTERNAL_ERROR = ("internal_error", 70)


class TournamentVerdict(AnyVerdict):
    """How a command of the tournament ended, where no verdict of a run says it.

    `predict.py` ends with none of them.
    """

    GATE_CLOSED = ("gate_closed", 80)
    ROUND_CLOSED = ("round_closed", 81)
    NOT_AUTHORISED = ("not_authorised", 82)
    UNKNOWN_MODEL = ("unknown_model", 83)
    SUBMISSION_EXISTS = ("submission_exists", 84)
    SUBMISSION_REFUSED = ("submission_refused", 85)
    MODEL_REFUSED = ("model_refused", 86)
    TOURNAMENT_UNAVAILABLE = ("tournament_unavailable", 87)


class TrainingVerdict(AnyVerdict):
    """How a training ended, where no verdict of a run says it."""

    BAD_CONFIGURATION = ("bad_configuration", 90)
    TRAINING_BUSY = ("training_busy", 91)
    BUNDLE_REFUSED = ("bundle_refused", 92)
