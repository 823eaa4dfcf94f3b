"""Turns the crash of a model process into an error that names the most likely cause."""

from __future__ import annotations

import signal

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.errors import ModelCrashed, RunError
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.python_versions import Pythons
from numerai_predict.runner.protocol import LOST_PIPE
from numerai_predict.runner.supervisor.crash_report import CrashReport

_MAX_CALLS = 10

_SIGNAL_CAUSES = {
    signal.SIGSEGV: (
        "a pickle made by another Python, or a compiled library of another version than "
        "the one that the model was made with",
        f"make the pickle with Python {RUNNING_PYTHON}, "
        "or run it in the image of the Python that made it",
    ),
    signal.SIGABRT: (
        "a compiled library aborted after a failed allocation or assertion",
        "read the model's last lines in the log; try fewer threads or less data at once",
    ),
    signal.SIGKILL: (
        "the system killed it because the machine or the container ran out of memory",
        "give the container as much memory as --memory allows the model, or make the model smaller",
    ),
    signal.SIGILL: (
        "a library compiled for another CPU",
        "install a build of the library for this CPU",
    ),
    signal.SIGBUS: (
        "shared memory is full, or a mapped file was truncated",
        "give the container more shared memory (docker run --shm-size)",
    ),
    **dict.fromkeys(
        (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF),
        (
            "a timer that the model set (signal.alarm, signal.setitimer) ran out, and no function "
            "handles its signal",
            "handle the signal in the model, or set no timer: --timeout limits the model's time",
        ),
    ),
    signal.SIGXCPU: (
        "a limit of CPU time (ulimit -t, RLIMIT_CPU)",
        "raise the limit of the process that starts the runner, or set none in the model",
    ),
    signal.SIGFPE: ("an integer division by zero in a compiled library", "check the model's input"),
}

# If the inspection found that the functions are for this Python, they are not the cause.
_SEGFAULT_WITH_VALID_CODE = (
    f"a compiled library of another version than the one that the model was made with (its "
    f"functions are of Python {RUNNING_PYTHON}, not of another Python)",
    "install the image's versions of the libraries where the model is made, and pickle it again",
)


_ANOTHER_SIGNAL = (
    "the model or another process sent it the signal",
    "send none in the model (os.kill); if it sends none, try again and find out who does",
)
_DO_NOT_TOUCH = "return predictions from the model, and do not use the runner's descriptors"


def classify_crash(crash: CrashReport, peak_bytes: int, pythons: Pythons | None = None) -> RunError:
    """The error for a model process that exited without a response.

    `pythons` are those that the model's code is valid for, if its inspection found them.
    """
    process = "the model process"
    if crash.malformed is not None:
        found = "sent an invalid response: expected what the runner sends, "
        found += f"found {brief(crash.malformed)}"
        return ModelCrashed(f"{process} {found}", _DO_NOT_TOUCH)
    if crash.status in (None, LOST_PIPE):
        return ModelCrashed(f"{process} closed the pipe of its responses", _DO_NOT_TOUCH)
    peak = f"(peak memory {format_size(peak_bytes)})"
    if crash.status >= 0:
        found = f"ended with exit status {crash.status} before it returned predictions {peak}"
        return ModelCrashed(
            f"{process} {found}",
            "remove os._exit and whatever else ends the process: a model must return",
        )
    name, likely_cause, remedy = _signal(-crash.status, pythons)
    title = f"{process} was killed by {name} {peak}; the most likely cause: {likely_cause}"
    return ModelCrashed("\n".join([title, *_crash_traceback(crash)]), remedy)


def _signal(number: int, pythons: Pythons | None) -> tuple[str, str, str]:
    """Name, most likely cause and remedy of a fatal signal."""
    if number not in set(signal.Signals):
        return (f"signal {number}", *_ANOTHER_SIGNAL)
    if number == signal.SIGSEGV and pythons is not None and pythons.legal:
        return ("SIGSEGV", *_SEGFAULT_WITH_VALID_CODE)
    known = signal.Signals(number)
    return (known.name, *_SIGNAL_CAUSES.get(known, _ANOTHER_SIGNAL))


def _crash_traceback(crash: CrashReport) -> list[str]:
    calls = [f"  {one_line(call)}" for call in crash.calls[:_MAX_CALLS]]
    return ["Traceback at the crash (most recent call first):", *calls] if calls else []
