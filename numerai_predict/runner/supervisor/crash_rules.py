"""How a model's process died, as an error that names the likeliest cause."""

from __future__ import annotations

import signal

from numerai_predict.contract.errors import ModelCrashed, RunError
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.python_versions import Pythons
from numerai_predict.runner.protocol import LOST_PIPE
from numerai_predict.runner.supervisor.model_process import CrashReport

_MOST_CALLS = 10

_SIGNAL_CAUSES = {
    signal.SIGSEGV: (
        "a pickle made by another Python, or a compiled library of another version than "
        "the one that the model was made with",
        f"make the pickle with Python {RUNNING_PYTHON}, "
        "or run it in the image of the Python that made it",
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
    f"functions are of Python {RUNNING_PYTHON}, not of another Python)",
    "install the image's versions of the libraries where the model is made, and pickle it again",
)


_ANOTHER_SIGNAL = (
    "somebody sent it the signal",
    "try again; if it stays, look for what sends the signal",
)
_LEAVE_ALONE = "a model must return its predictions and leave the runner's descriptors alone"


def classify_crash(death: CrashReport, peak_bytes: int, pythons: Pythons | None = None) -> RunError:
    """The error that a child's end without an answer stands for.

    `pythons` are those of the model's code, where its inspection found them.
    """
    process = "the model's process"
    if death.malformed is not None:
        found = f"broke off its answer: expected a frame, found {death.malformed}"
        return ModelCrashed(f"{process} {found}", _LEAVE_ALONE)
    if death.status in (None, LOST_PIPE):
        return ModelCrashed(f"{process} closed the pipe that its answer was due on", _LEAVE_ALONE)
    peak = f"(peak memory {format_size(peak_bytes)})"
    if death.status >= 0:
        found = f"ended with exit status {death.status} before it returned predictions {peak}"
        return ModelCrashed(
            f"{process} {found}",
            "take out os._exit and whatever else ends the process: a model must return",
        )
    name, likeliest, remedy = _signal(-death.status, pythons)
    title = f"{process} died by {name} {peak}; the likeliest cause: {likeliest}"
    return ModelCrashed("\n".join([title, *_crash_traceback(death)]), remedy)


def _signal(number: int, pythons: Pythons | None) -> tuple[str, str, str]:
    """Name, likeliest cause and remedy of a fatal signal."""
    if number not in set(signal.Signals):
        return (f"signal {number}", *_ANOTHER_SIGNAL)
    if number == signal.SIGSEGV and pythons is not None and pythons.legal:
        return ("SIGSEGV", *_SEGFAULT_OF_OWN_CODE)
    known = signal.Signals(number)
    return (known.name, *_SIGNAL_CAUSES.get(known, _ANOTHER_SIGNAL))


def _crash_traceback(death: CrashReport) -> list[str]:
    calls = [f"  {call}" for call in death.calls[:_MOST_CALLS]]
    return ["It stood in (most recent call first):", *calls] if calls else []
