"""How far a transfer is: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import time

from numerai_predict.contract.limits import format_size
from numerai_predict.storage.terms import Terms

_LINE_SECONDS = 5.0
_BAR_SECONDS = 0.2
_BAR_WIDTH = 30
_CLEAR = "\r\x1b[K"


class Progress:
    """Tells of one transfer; silent where that takes less than the first interval."""

    def __init__(self, source: str, terms: Terms) -> None:
        self._source = source
        self._terms = terms
        self._started = self._told = time.monotonic()
        self._drawn = False

    def tell(self, received: int, total: int | None) -> None:
        """So many bytes are here, of so many where that is known."""
        now = time.monotonic()
        if now - self._told < (_BAR_SECONDS if self._terms.terminal else _LINE_SECONDS):
            return
        self._told = now
        speed = f"{format_size(received / (now - self._started))}/s"
        share = received / total if total else None
        of = f" of {format_size(total)} ({share:.0%})" if total and share is not None else ""
        words = f"{self._source}: {format_size(received)}{of}, {speed}"
        if self._terms.terminal is None:
            self._terms.say(words)
        else:
            self._draw(words, share)

    def end(self) -> None:
        """Take the bar away: what comes next is a line."""
        if self._drawn and self._terms.terminal is not None:
            self._terms.terminal.write(_CLEAR)
            self._terms.terminal.flush()
        self._drawn = False

    def _draw(self, words: str, share: float | None) -> None:
        terminal = self._terms.terminal
        if terminal is None:
            return
        filled = round(_BAR_WIDTH * min(share or 0.0, 1.0))
        terminal.write(f"{_CLEAR}[{'#' * filled}{' ' * (_BAR_WIDTH - filled)}] {words}")
        terminal.flush()
        self._drawn = True
