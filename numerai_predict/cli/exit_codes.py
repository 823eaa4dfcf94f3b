"""The one mapping from how a command ends to its exit code and its last line."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import TextIO

from numerai_predict.contract.error_mapping import run_error_of
from numerai_predict.contract.errors import InternalError
from numerai_predict.contract.verdicts import ProcessExit, Verdict
from numerai_predict.runner.run_log import log_step, log_verdict, logger, start_logging
from numerai_predict.runner.termination import Terminated


class UsageError(Exception):
    """Options that contradict each other or the files that they name."""


class MissingExtra(Exception):
    """A package is not installed; `extra` is the extra of this package that installs it."""

    def __init__(self, package: str, extra: str | None) -> None:
        wanted = f"numerai-predict[{extra}]" if extra else "numerai-predict"
        super().__init__(
            f"expected the package {package}, found none: pip install '{wanted}', "
            "with Python 3.11 or later"
        )


class Unfinished(Exception):
    """A command stopped before its end; a later call can continue."""


class OutputClosed(Exception):
    """The reader of standard output or standard error has closed it."""


def exit_code_of(
    work: Callable[[], str | int], program: str, debug: bool = False, logs_steps: bool = True
) -> int:
    """Do the work and report how it ended; returns its exit code.

    The work returns the message of its verdict `ok`, or an exit code where it has reported its
    end itself. `program` begins the messages that are no verdicts.

    Raises:
        UsageError: by the work.
        OutputClosed: the output has no reader any more; see `exit_on_closed_output`.
    """
    if logs_steps:
        start_logging(debug)
    try:
        ended = work()
    except UsageError:
        raise
    except (MissingExtra, Unfinished) as error:
        print(f"{program}: {error}", file=sys.stderr)
        ended_as = ProcessExit.UNFINISHED if isinstance(error, Unfinished) else Verdict.USAGE
        return ended_as.exit_code
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, BrokenPipeError) and any(map(_is_closed, _outputs())):
            raise OutputClosed from error
        start_logging(debug)
        return _report(error)
    if isinstance(ended, int):
        return ended
    log_verdict(Verdict.OK.word, Verdict.OK.exit_code, ended, None)
    return Verdict.OK.exit_code


def exit_on_closed_output(work: Callable[[], int]) -> int:
    """The exit code of the work; that of `OUTPUT_CLOSED` once a reader of its output is gone.

    What is still buffered is written here, so that this is the only code that can notice it.
    """
    try:
        try:
            return work()
        finally:
            sys.stdout.flush()
    except (BrokenPipeError, OutputClosed) as error:
        closed = [stream for stream in _outputs() if _is_closed(stream)]
        if not closed and isinstance(error, BrokenPipeError):
            raise
        for stream in closed:  # the interpreter's last flush must not fail
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return ProcessExit.OUTPUT_CLOSED.exit_code


def _outputs() -> tuple[TextIO, TextIO]:
    return sys.stdout, sys.stderr


def _is_closed(stream: TextIO) -> bool:
    """Whether the reader of the stream is gone, like `head` after its last line."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, AttributeError):  # no stream of the system
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _report(error: BaseException) -> int:
    """Log the verdict of an exception; returns its exit code."""
    if isinstance(error, KeyboardInterrupt):
        terminated = isinstance(error, Terminated)
        signal_ = "SIGTERM" if terminated else "Ctrl-C"
        log_step("stopped", f"by {signal_}: run the same command again to continue")
        return (ProcessExit.TERMINATED if terminated else ProcessExit.INTERRUPTED).exit_code
    failure = run_error_of(error)
    if not isinstance(failure, InternalError):  # whose message has the traceback
        logger.debug("", exc_info=error)
    verdict = failure.verdict
    log_verdict(verdict.word, verdict.exit_code, failure.message, failure.remedy)
    return verdict.exit_code
