"""Why a model failed: the child's facts, or its death, as an error with a verdict.

A list of small functions, each of which knows one cause; the first that
recognises the facts names the error. Facts come from a process that a stranger's
program ran in: they are shown, and decide nothing but the words and the verdict.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import (
    DatasetUnavailable,
    InvalidModel,
    MissingDependency,
    ModelCrashed,
    ModelError,
    OutOfMemory,
    RunError,
)
from numerai_predict.contract.limits import format_size
from numerai_predict.inspection.advice import by_value, remedy_for_main
from numerai_predict.inspection.looks import invalid_pickle
from numerai_predict.inspection.pythons import Pythons
from numerai_predict.runner.process import Death, out_of_memory
from numerai_predict.runner.protocol import LOST_PIPE

_PYTHON = "{}.{}".format(*sys.version_info)
_MOST_LIBRARY_FRAMES = 3
_FIRST_FRAMES, _LAST_FRAMES = 5, 10

_BROKEN_DATA = {
    "UnpicklingError",
    "EOFError",
    "BadGzipFile",
    "LZMAError",
    "BadZipFile",
    "ZstdError",
}
_COLUMN_TROUBLE = re.compile(
    r"not in index|are in the \[(columns|index)\]|feature[_ ]names|number of features"
    r"|expecting \d+ features|not in (the )?columns|should match",
    re.IGNORECASE,
)

_SIGNAL_CAUSES = {
    signal.SIGSEGV: (
        "a pickle made by another Python, or a compiled library of another version than "
        "the one that the model was made with",
        f"make the pickle with Python {_PYTHON}, or run it in the image of the Python that made it",
    ),
    signal.SIGABRT: (
        "a compiled library gave up, after a failed allocation or a check of its own",
        "read the model's last lines above; try fewer threads or less data at once",
    ),
    signal.SIGKILL: (
        "the system killed it: the machine or the container ran out of memory",
        "give the container as much memory as --memory allows the model, or make the model smaller",
    ),
    signal.SIGILL: (
        "a library compiled for another processor",
        "install a build of the library for this processor",
    ),
    signal.SIGBUS: (
        "shared memory is full, or a mapped file became shorter",
        "give the container more shared memory (docker run --shm-size)",
    ),
    signal.SIGFPE: ("an integer division by zero in a compiled library", "check the model's input"),
}

# Where the inspection found the functions to be this Python's, they are not to blame.
_SEGFAULT_OF_OWN_CODE = (
    f"a compiled library of another version than the one that the model was made with (its "
    f"functions are of Python {_PYTHON}, not of another Python)",
    "install the image's versions of the libraries where the model is made, and pickle it again",
)


@dataclass(frozen=True)
class Failure:
    """An exception in the model's process, and what the parent knows beside it."""

    facts: dict[str, Any]
    model: Path
    dataset: str
    memory_limit_bytes: int | None
    peak_bytes: int
    benchmarks: str = ""

    @property
    def stage(self) -> str:
        """`load`, `read`, `read benchmarks`, `predict` or `answer`."""
        return str(self.facts.get("stage"))

    @property
    def types(self) -> set[str]:
        """Names of the exception's class and its bases."""
        return {str(name) for name in _list(self.facts.get("types"))}

    @property
    def text(self) -> str:
        """The exception's message."""
        return str(self.facts.get("message"))

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Stack frames after the runner's own, outermost first."""
        return [frame for frame in _list(self.facts.get("frames")) if isinstance(frame, dict)]

    @property
    def title(self) -> str:
        """Type and message on one line, as Python ends a traceback."""
        first = (self.text.strip().splitlines() or [""])[0]
        return f"{self.facts.get('type')}: {first}" if first else str(self.facts.get("type"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def error_of_failure(failure: Failure) -> RunError:
    """The error that a failed child stands for."""
    for cause in CAUSES:
        if error := cause(failure):
            return error
    return ModelError(
        _with_traceback(f"the model raised {failure.title}", failure),
        "mend the model and pickle it again; --debug shows the whole traceback",
    )


def error_of_death(death: Death, peak_bytes: int, pythons: Pythons | None = None) -> RunError:
    """The error that a child's end without an answer stands for.

    `pythons` are those of the model's code, where its inspection found them.
    """
    peak = f"peak memory {format_size(peak_bytes)}"
    if death.malformed is not None:
        return ModelCrashed(
            f"the model's process broke off its answer: expected a frame, found {death.malformed}",
            "a model must return its predictions and leave the runner's descriptors alone",
        )
    if death.status in (None, LOST_PIPE):
        return ModelCrashed(
            "the model's process closed the pipe that its answer was due on",
            "a model must return its predictions and leave the runner's descriptors alone",
        )
    if death.status >= 0:
        return ModelCrashed(
            f"the model's process ended with exit status {death.status} before it returned "
            f"predictions ({peak})",
            "take out os._exit and whatever else ends the process: a model must return",
        )
    number = -death.status
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    likeliest, remedy = _SIGNAL_CAUSES.get(
        signal.Signals(number) if number in set(signal.Signals) else signal.SIGHUP,
        ("somebody sent it the signal", "try again; if it stays, look for what sends the signal"),
    )
    if number == signal.SIGSEGV and pythons is not None and pythons.legal:
        likeliest, remedy = _SEGFAULT_OF_OWN_CODE
    title = f"the model's process died by {name} ({peak}); the likeliest cause: {likeliest}"
    calls = [f"  {call}" for call in death.calls[:_LAST_FRAMES]]
    if calls:
        calls.insert(0, "It stood in (most recent call first):")
    return ModelCrashed("\n".join([title, *calls]), remedy)


def _memory(failure: Failure) -> RunError | None:
    if "MemoryError" not in failure.types:
        return None
    if failure.memory_limit_bytes is None:
        message, remedy = (
            f"the model asked for more memory than this machine has: {failure.title}",
            "use less at once, or a larger machine",
        )
    else:
        message, remedy = out_of_memory(failure.memory_limit_bytes, failure.peak_bytes)
        message = f"{message}, then asked for more: {failure.title}"
    return OutOfMemory(_with_traceback(message, failure), remedy)


def _unreadable_data(failure: Failure) -> RunError | None:
    sources = {"read": failure.dataset, "read benchmarks": failure.benchmarks}
    if failure.stage not in sources:
        return None
    source = sources[failure.stage]
    return DatasetUnavailable(
        f"expected a parquet file that pandas can read in {source}, found {failure.title}",
        "fetch the data set again; a copy may have been cut short",
    )


def _not_a_model(failure: Failure) -> RunError | None:
    if failure.stage != "load" or "NotAModel" not in failure.types:
        return None
    return InvalidModel(
        "expected a function predict(live_features) or "
        f"predict(live_features, live_benchmark_models), {failure.text}",
        "pickle the function itself: cloudpickle.dump(predict, file)",
    )


def _broken_pickle(failure: Failure) -> RunError | None:
    if failure.stage != "load":
        return None
    own_frames = any(not frame.get("library") for frame in failure.frames)
    if own_frames or not failure.types & _BROKEN_DATA:
        return None
    return invalid_pickle(failure.model, failure.title)


def _missing_module(failure: Failure) -> RunError | None:
    if "ImportError" not in failure.types:
        return None
    module = str(failure.facts.get("module") or "")
    if module == "__main__" or not module:
        found = f"found {failure.title}"
    else:
        found = (
            f"found that module {module} is missing"
            if _is_missing(failure)
            else (f"found that module {module} lacks something: {failure.title}")
        )
    return MissingDependency(
        _with_traceback(f"expected everything that the model imports to be here, {found}", failure),
        f"use a library that the image has, or, {by_value(module.partition('.')[0])}",
    )


def _missing_attribute(failure: Failure) -> RunError | None:
    module, attribute = failure.facts.get("attribute_of"), failure.facts.get("attribute")
    if not module:
        return None
    if module == "__main__":
        remedy = remedy_for_main()
    else:
        remedy = (
            f"the model was made with another version of {str(module).partition('.')[0]}: "
            "install the image's version where it is made, then pickle it again"
        )
    return MissingDependency(
        _with_traceback(f"expected {attribute} in module {module}, found no such name", failure),
        remedy,
    )


def _exit_call(failure: Failure) -> RunError | None:
    if "SystemExit" not in failure.types:
        return None
    return ModelError(
        _with_traceback(
            f"the model called sys.exit({failure.text}) instead of returning predictions", failure
        ),
        "take the call out: a model must return a DataFrame",
    )


def _other_columns(failure: Failure) -> RunError | None:
    missing_key = "KeyError" in failure.types and "feature" in failure.text
    if failure.stage != "predict" or not (missing_key or _COLUMN_TROUBLE.search(failure.text)):
        return None
    return ModelError(
        _with_traceback(f"the model raised {failure.title}", failure),
        f"the model wants other columns than {failure.dataset} has: run it on the data version "
        "that it was trained on (--dataset and --benchmarks), or train it on this one",
    )


CAUSES: tuple[Callable[[Failure], RunError | None], ...] = (
    _memory,
    _unreadable_data,
    _not_a_model,
    _broken_pickle,
    _missing_module,
    _missing_attribute,
    _exit_call,
    _other_columns,
)


def _is_missing(failure: Failure) -> bool:
    return "ModuleNotFoundError" in failure.types


def _with_traceback(title: str, failure: Failure) -> str:
    """The title, then the rest of the exception's message, then the frames worth a look."""
    lines = [title, *failure.text.strip().splitlines()[1:]]
    frames = _worth_a_look(failure.frames)
    left_out = len(frames) - _FIRST_FRAMES - _LAST_FRAMES
    if frames:
        lines.append("Traceback of the model (most recent call last):")
    for position, frame in enumerate(frames):
        if _FIRST_FRAMES <= position < _FIRST_FRAMES + left_out:
            if position == _FIRST_FRAMES:
                lines.append(f"  ... {left_out} more calls ...")
            continue
        lines.append(
            f'  File "{frame.get("file")}", line {frame.get("line")}, in {frame.get("function")}'
        )
        if frame.get("text"):
            lines.append(f"    {frame['text']}")
    return "\n".join(lines)


def _worth_a_look(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The model's own frames, and of a library that it called the place that raised."""
    own = [position for position, frame in enumerate(frames) if not frame.get("library")]
    if not own:
        return frames[-_MOST_LIBRARY_FRAMES:]
    tail = frames[own[-1] + 1 :]
    return frames[own[0] : own[-1] + 1] + tail[-1:]
