"""How far a diagnosis is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from numerai_predict.contract.limits import format_clock
from numerai_predict.storage.progress_line import ProgressLine

_LINE_SECONDS = 10.0


class EraProgress:
    """Tells how many eras are done, and how long the rest takes; see `ProgressLine`."""

    def __init__(self, say: Callable[[str], None], terminal: TextIO | None) -> None:
        self._ticker = ProgressLine(say, terminal, _LINE_SECONDS)

    def update(self, done: int, total: int) -> None:
        """So many eras are done, of so many."""
        if not done or not self._ticker.due():
            return
        each = self._ticker.elapsed / done
        left = format_clock(each * (total - done))
        words = f"{done:,} of {total:,} eras, {each:.2f} s an era, {left} left"
        self._ticker.show(words, done / total)

    def end(self) -> None:
        """The diagnosis goes on with something else."""
        self._ticker.end()
