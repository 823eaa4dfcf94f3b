"""The runner's log: one line a step on standard error, the verdict last."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from numerai_predict.contract.redaction import redact_text

logger = logging.getLogger("numerai_predict")

_STEP_WIDTH = 8


class _Formatter(logging.Formatter):
    """UTC time and text, every URL in it without its query."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        return redact_text(super().format(record))


def start_logging(debug: bool) -> None:
    """Send the log to standard error, from DEBUG or from INFO on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    logger.propagate = False


@contextmanager
def suppress_info() -> Iterator[None]:
    """Leave out of the log what the block says at INFO: the same was said of its like."""
    level = logger.level
    if level == logging.INFO:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def stderr_terminal() -> TextIO | None:
    """Standard error where it is a terminal, on which a bar can be drawn."""
    # It is `None` where it was closed before the program began.
    return sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None


def log_step(step: str, text: str) -> None:
    """One line for what a step did."""
    logger.info("%-*s %s", _STEP_WIDTH, step, text)


def log_model_line(line: str) -> None:
    """One line of what the model printed, marked as the model's."""
    logger.info("%-*s | %s", _STEP_WIDTH, "model", line)


def log_verdict(verdict: str, exit_code: int, message: str, remedy: str | None) -> None:
    """How it ended: details first, one line each; the verdict with its remedy on the last line."""
    title, *details = message.splitlines()
    for line in details:
        log_step("", line)
    advice = f" -> {remedy}" if remedy else ""
    log_step("verdict", f"{verdict} (exit {exit_code}): {title}{advice}")
