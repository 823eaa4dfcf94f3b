"""How far a diagnosis is: one line that changes on a terminal, else a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

_LINE_SECONDS = 10.0
_DRAW_SECONDS = 0.2
_CLEAR = "\r\x1b[K"


class Progress:
    """Tells how many eras are done; `say` takes a line, `terminal`, if it is one, is drawn on."""

    def __init__(self, say: Callable[[str], None], terminal: TextIO | None) -> None:
        self._say = say
        self._terminal = terminal
        self._started = self._told = time.monotonic()

    def tell(self, done: int, total: int) -> None:
        """So many eras are done, of so many."""
        now = time.monotonic()
        pause = _DRAW_SECONDS if self._terminal else _LINE_SECONDS
        if now - self._told < pause or not done:
            return
        self._told = now
        each = (now - self._started) / done
        words = (
            f"{done:,} of {total:,} eras, {each:.2f} s an era, {_span(each * (total - done))} left"
        )
        if self._terminal is None:
            self._say(words)
            return
        self._terminal.write(f"{_CLEAR}{words}")
        self._terminal.flush()

    def end(self) -> None:
        """Take the line away: what comes next is another."""
        if self._terminal is not None:
            self._terminal.write(_CLEAR)
            self._terminal.flush()


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
