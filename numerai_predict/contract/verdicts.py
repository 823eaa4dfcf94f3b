"""The ways in which a run can end: one word and one exit code each."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """How a run ended; `word` and `exit_code` are public and never reused."""

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

    def __init__(self, word: str, exit_code: int) -> None:
        self.word = word
        self.exit_code = exit_code
