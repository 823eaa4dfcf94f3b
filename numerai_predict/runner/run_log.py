"""The log of a run: one line per step on standard error, the verdict last."""

from __future__ import annotations

import functools
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.redaction import redact_text

if TYPE_CHECKING:
    from numerai_predict.storage.retry import TransferPolicy

logger = logging.getLogger("numerai_predict")

_STEP_WIDTH = 8


class _Formatter(logging.Formatter):
    """UTC time and text, with every URL redacted."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        return redact_text(super().format(record))


def start_logging(debug: bool) -> None:
    """Log to standard error, at level DEBUG or INFO."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
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
    # It is `None` if it was closed before the program started.
    return sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None


def log_step(step: str, text: str) -> None:
    """Log one line about a step."""
    logger.info("%-*s %s", _STEP_WIDTH, step, text)


def log_model_line(line: str) -> None:
    """Log one line that the model printed, marked as the model's."""
    logger.info("%-*s | %s", _STEP_WIDTH, "model", line)


def log_verdict(verdict: str, exit_code: int, message: str, remedy: str | None) -> None:
    """Log details, one line each; then the verdict with its remedy on the last line."""
    title, *details = message.splitlines()
    for line in details:
        log_step("", line)
    remedy_suffix = f" -> {remedy}" if remedy else ""
    log_step("verdict", f"{verdict} (exit {exit_code}): {title}{remedy_suffix}")


def transfer_policy(deadline: Deadline, step: str) -> TransferPolicy:
    """The policy for the transfers of a step, which log their progress."""
    from numerai_predict.storage.retry import TransferPolicy  # a worker logs without transfers

    return TransferPolicy(
        deadline, log=functools.partial(log_step, step), terminal=stderr_terminal()
    )
