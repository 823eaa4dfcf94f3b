"""The progress display of a diagnosis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from numerai_predict.contract.limits import format_clock
from numerai_predict.storage.progress_line import ProgressLine

_LINE_SECONDS = 10.0


class EraProgress:
    """Shows how many eras are done and the time left, on the terminal or as log lines.

    `log` takes a plain line; `terminal` is `None` without one.
    """

    def __init__(self, log: Callable[[str], None], terminal: TextIO | None) -> None:
        self._line = ProgressLine(log, terminal, _LINE_SECONDS)

    def update(self, done: int, total: int) -> None:
        """Show that `done` of `total` eras are done."""
        if not done or not self._line.due():
            return
        era_seconds = self._line.elapsed / done
        left = format_clock(era_seconds * (total - done))
        text = f"{done:,} of {total:,} eras, {era_seconds:.2f} s per era, {left} left"
        self._line.show(text, done / total)

    def end(self) -> None:
        """Remove the display from the terminal."""
        self._line.end()
