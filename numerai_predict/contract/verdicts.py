"""The ways in which a command can end: an exit code and a sentence each, most with a word."""

from __future__ import annotations

from enum import Enum


class AnyVerdict(Enum):
    """How a command ended.

    `word` and `exit_code` are public, unique among all verdicts, and never reused. `meaning` is
    one sentence for the reference documentation.
    """

    def __init__(self, word: str, exit_code: int, meaning: str) -> None:
        self.word = word
        self.exit_code = exit_code
        self.meaning = meaning


class Verdict(AnyVerdict):
    """How a run ended."""

    OK = ("ok", 0, "The predictions are saved, and delivered where a destination was given.")
    USAGE = ("usage", 2, "The options are wrong.")
    MODEL_UNAVAILABLE = ("model_unavailable", 10, "The model could not be fetched.")
    INVALID_PICKLE = (
        "invalid_pickle",
        11,
        "The file is not a pickle, is corrupt, or contains bytecode that no supported Python "
        "accepts.",
    )
    PYTHON_MISMATCH = ("python_mismatch", 12, "Another Python made the pickle.")
    MISSING_DEPENDENCY = (
        "missing_dependency",
        13,
        "The model needs a module, or a name in a module, that is not installed.",
    )
    INVALID_MODEL = (
        "invalid_model",
        14,
        "The pickle holds no callable that takes one or two arguments.",
    )
    DATASET_UNAVAILABLE = ("dataset_unavailable", 15, "The data could not be fetched or read.")
    MODEL_ERROR = ("model_error", 20, "The model raised an exception; the log shows its traceback.")
    MODEL_CRASHED = (
        "model_crashed",
        21,
        "The model process crashed; the message names the most likely cause.",
    )
    OUT_OF_MEMORY = (
        "out_of_memory",
        22,
        "The model exceeded `--memory` or its container's memory limit.",
    )
    TIMEOUT = ("timeout", 23, "The model exceeded `--timeout`.")
    INVALID_PREDICTIONS = (
        "invalid_predictions",
        30,
        "The predictions break rules of the tournament; the message names all of them.",
    )
    UPLOAD_FAILED = ("upload_failed", 40, "The predictions are saved, but the upload failed.")
    SAVE_FAILED = ("save_failed", 41, "The predictions could not be written.")
    DEADLINE = ("deadline", 50, "The command exceeded `--deadline`.")
    SANDBOX_UNAVAILABLE = (
        "sandbox_unavailable",
        60,
        "`--sandbox require` was given, but this machine lacks a layer.",
    )
    INTERNAL_ERROR = ("internal_error", 70, "This is a bug in the runner, not in the model.")


class ProcessExit(Enum):
    """How a process ended without a verdict: the exit code, and one sentence on its meaning.

    The codes above 128 are 128 and the number of a signal, as a shell reports a program that the
    signal ended.
    """

    UNFINISHED = (1, "A fleet run did not deliver every model; the output says why.")
    INTERRUPTED = (130, "Ctrl-C (SIGINT) stopped the command.")
    OUTPUT_CLOSED = (141, "The reader of the output exited first, such as `head`.")
    TERMINATED = (143, "SIGTERM stopped the command.")

    def __init__(self, exit_code: int, meaning: str) -> None:
        self.exit_code = exit_code
        self.meaning = meaning


class TournamentVerdict(AnyVerdict):
    """How a command of the tournament ended, where no verdict of a run applies.

    `predict.py` ends with none of these.
    """

    GATE_CLOSED = ("gate_closed", 80, "A gate blocked the submission of these predictions.")
    ROUND_CLOSED = ("round_closed", 81, "No round is open.")
    NOT_AUTHORISED = ("not_authorised", 82, "Keys are missing, wrong, or lack a scope.")
    UNKNOWN_MODEL = (
        "unknown_model",
        83,
        "The account has no model of this name; the message lists its models.",
    )
    SUBMISSION_EXISTS = (
        "submission_exists",
        84,
        "The round already has a different submission of the model.",
    )
    SUBMISSION_REFUSED = ("submission_refused", 85, "The tournament rejected the submission.")
    MODEL_REFUSED = (
        "model_refused",
        86,
        "The pickle cannot be hosted, according to its inspection or its validation.",
    )
    TOURNAMENT_UNAVAILABLE = (
        "tournament_unavailable",
        87,
        "The tournament API does not respond, or responds only with errors.",
    )


class TrainingVerdict(AnyVerdict):
    """How a training ended, where no verdict of a run applies."""

    BAD_CONFIGURATION = (
        "bad_configuration",
        90,
        "The configuration is invalid, or does not fit the data.",
    )
    TRAINING_BUSY = ("training_busy", 91, "Another training uses the same output directory.")
    BUNDLE_REFUSED = (
        "bundle_refused",
        92,
        "The trained pickle does not run, or its predictions differ from the trainer's.",
    )


class RegistryVerdict(AnyVerdict):
    """How a command of the model registry ended, where no verdict of a run applies."""

    UNKNOWN_VERSION = (
        "unknown_version",
        100,
        "The registry has no such model, version or alias; the message lists what it has.",
    )
    REGISTRY_UNAVAILABLE = (
        "registry_unavailable",
        101,
        "The registry cannot be read or written.",
    )
    CORRUPT_VERSION = (
        "corrupt_version",
        102,
        "A file of a version is missing or differs from its hash.",
    )
    PROMOTION_REFUSED = ("promotion_refused", 103, "A gate blocked the promotion.")
