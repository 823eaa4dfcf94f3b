"""How far work is: one line that changes on a terminal, else a plain line now and then."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TextIO

_DRAWN_SECONDS = 0.2
_BAR_WIDTH = 30
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Shows how far one piece of work is; silent where that takes less than an interval.

    `log` takes a plain line every `seconds`; `terminal`, where there is one, is drawn on
    instead.
    """

    def __init__(self, log: Callable[[str], None], terminal: TextIO | None, seconds: float) -> None:
        self._log = log
        self._terminal = terminal
        self._pause = _DRAWN_SECONDS if terminal else seconds
        self._started = self._told = time.monotonic()
        self._drawn = False

    @property
    def elapsed(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self._started

    def due(self) -> bool:
        """Whether it is time to show something."""
        return time.monotonic() - self._told >= self._pause

    def show(self, words: str, share: float | None = None) -> None:
        """Show the words; on a terminal after a bar where the `share` that is done is known."""
        self._told = time.monotonic()
        if self._terminal is None:
            self._log(words)
            return
        self._terminal.write(_CLEAR + _fitting(_bar(share), words, _columns(self._terminal)))
        self._terminal.flush()
        self._drawn = True

    def end(self) -> None:
        """Take the line away from the terminal: what comes next is another."""
        if self._drawn and self._terminal is not None:
            self._terminal.write(_CLEAR)
            self._terminal.flush()
        self._drawn = False


def _fitting(bar: str, words: str, columns: int | None) -> str:
    """The bar and the words, or less where both would not fit: a second line stays behind."""
    if columns is None or len(bar) + len(words) < columns:
        return bar + words
    return words[: columns - 1]


def _columns(terminal: TextIO) -> int | None:
    """How wide the terminal is, where it tells."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns or None
    except (OSError, ValueError):
        return None


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    filled = round(_BAR_WIDTH * min(share, 1.0))
    return f"[{'#' * filled}{' ' * (_BAR_WIDTH - filled)}] "
