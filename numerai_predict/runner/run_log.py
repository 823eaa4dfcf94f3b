"""The log of a run: one line per step on standard error, the verdict last."""

from __future__ import annotations

import functools
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from numerai_predict.contract.brief_text import brief_message
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.foreign_text import (
    MAX_LINES,
    MAX_TEXT_CHARACTERS,
    one_line,
    printable_lines,
)
from numerai_predict.contract.redaction import redact_text
from numerai_predict.terminal.colours import has_colours, is_terminal, paint
from numerai_predict.terminal.states import tone_of

if TYPE_CHECKING:
    from numerai_predict.storage.retry import TransferPolicy

logger = logging.getLogger("numerai_predict")

_STEP_WIDTH = 8


class LineFormatter(logging.Formatter):
    """UTC time and one printable line, with every URL redacted.

    A traceback follows line by line, each with the time and below no step, so that no text of a
    model can look like a line of the runner. With `colours`, warnings and verdicts have them.
    """

    converter = staticmethod(time.gmtime)

    def __init__(self, *, colours: bool = False) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """The line, and those of the traceback if there is one."""
        line = _inert_line(record.getMessage())
        lines = [_painted(line) if self._colours else line]
        if record.exc_info:
            trace = self.formatException(record.exc_info)[-MAX_TEXT_CHARACTERS:]
            lines += [
                f"{'':{_STEP_WIDTH}} {_inert_line(line)}" for line in trace.split("\n")[-MAX_LINES:]
            ]
        now = self.formatTime(record, self.datefmt)
        return "\n".join(f"{now} {line}" for line in lines)


def _painted(line: str) -> str:
    """The line with its state in colour; only the runner's own lines begin with these steps."""
    step, _, text = line.partition(" ")
    if step == "warning":
        return paint(step, tone_of(step)) + line.removeprefix(step)
    if step != "verdict":
        return line
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    return line.replace(word, paint(word, tone_of(word)), 1) if word else line


def _last_lines(text: str) -> list[str]:
    return text[-MAX_TEXT_CHARACTERS:].split("\n")[-MAX_LINES:]


def _inert_line(text: str) -> str:
    return one_line(redact_text(text))


def start_logging(debug: bool) -> None:
    """Log to standard error, at level DEBUG or INFO."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(colours=has_colours(sys.stderr)))
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    logger.propagate = False


@contextmanager
def suppress_info() -> Iterator[None]:
    """Suppress messages of level INFO in the block, which repeat those of an earlier process."""
    level = logger.level
    if level == logging.INFO:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def stderr_terminal() -> TextIO | None:
    """Standard error if it is a terminal, which can show a progress bar."""
    return sys.stderr if is_terminal(sys.stderr) else None


def log_step(step: str, text: str) -> None:
    """Log one line about a step."""
    logger.info("%-*s %s", _STEP_WIDTH, step, text)


def log_detail(step: str, text: str) -> None:
    """Log one line about a step, at level DEBUG."""
    logger.debug("%-*s %s", _STEP_WIDTH, step, text)


def log_model_line(line: str) -> None:
    """Log one line that the model printed, marked as the model's."""
    logger.info("%-*s | %s", _STEP_WIDTH, "model", line)


def log_model_line_debug(line: str) -> None:
    """Log one line that the model printed, at level DEBUG."""
    logger.debug("%-*s | %s", _STEP_WIDTH, "model", line)


def log_traceback(text: str) -> None:
    """Log a traceback of the model, one line each, at level DEBUG."""
    for line in _last_lines(text):
        logger.debug("%-*s | %s", _STEP_WIDTH, "debug", line)


def log_verdict(verdict: str, exit_code: int, message: str, remedy: str | None) -> None:
    """Log details, one line each; then the verdict with its remedy on the last line.

    Foreign text is cut, unless the level is DEBUG.
    """
    title, *details = shown_message(message, logger.isEnabledFor(logging.DEBUG)).split("\n")
    for line in details:
        log_step("", line)
    remedy_suffix = f" -> {remedy}" if remedy else ""
    log_step("verdict", f"{verdict} (exit {exit_code}): {title}{remedy_suffix}")


def shown_message(message: str, debug: bool) -> str:
    """The message as a log shows it: whole for debugging, else brief."""
    whole = printable_lines(message)
    return whole if debug else brief_message(whole)


def transfer_policy(deadline: Deadline, step: str) -> TransferPolicy:
    """The policy for the transfers of a step, which log their progress."""
    from numerai_predict.storage.retry import TransferPolicy  # a worker logs without transfers

    return TransferPolicy(
        deadline, log=functools.partial(log_step, step), terminal=stderr_terminal()
    )
