"""The log of one run, kept in memory."""

from __future__ import annotations

import logging

from numerai_predict.runner.run_log import LineFormatter, logger

_MAX_CHARACTERS = 96 * 1024


class LogBuffer(logging.Handler):
    """Collects the log lines of a run, as a single run shows them; the first 96 KiB.

    It replaces the other handlers of this process.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._size = 0
        self.setFormatter(LineFormatter())
        logger.handlers = [self]
        logger.propagate = False
        logger.setLevel(logging.DEBUG if debug else logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, as a single run would show it."""
        line = self.format(record)
        self._size += len(line) + 1
        if self._size <= _MAX_CHARACTERS:
            self._lines.append(line)

    def text(self) -> bytes:
        """The lines that were kept."""
        return "".join(f"{line}\n" for line in self._lines).encode(errors="replace")
