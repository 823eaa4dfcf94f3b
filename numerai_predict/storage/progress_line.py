"""The progress of one operation: a bar of rich on a terminal, else plain lines at intervals."""

from __future__ import annotations

import atexit
import importlib.util
import time
from collections.abc import Callable
from typing import TextIO

from numerai_predict.terminal.colours import moves_cursor
from numerai_predict.terminal.screen import terminal_width

_REFRESH_SECONDS = 0.2
_BAR_WIDTH = 30


class ProgressLine:
    """Shows the progress of one operation; nothing if it takes less than an interval.

    `terminal` is a stream to a terminal, `None` for none. Without one, or where rich is not
    installed, `log` gets a plain line every `seconds`.
    """

    def __init__(self, log: Callable[[str], None], terminal: TextIO | None, seconds: float) -> None:
        self._log = log
        self._terminal = terminal if _can_draw(terminal) else None
        self._interval = _REFRESH_SECONDS if self._terminal else seconds
        self._started = self._shown = time.monotonic()
        self._bar: _Bar | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the operation began."""
        return time.monotonic() - self._started

    def due(self) -> bool:
        """Whether it is time to show the progress again."""
        return time.monotonic() - self._shown >= self._interval

    def show(self, text: str, share: float | None = None) -> None:
        """Show the text; on a terminal with a bar, if the completed `share` is known."""
        self._shown = time.monotonic()
        if self._terminal is None:
            self._log(text)
            return
        if self._bar is None:
            self._bar = _Bar(self._terminal)
        self._bar.draw(text, share)

    def end(self) -> None:
        """Remove the bar from the terminal."""
        if self._bar is not None:
            self._bar.remove()
        self._bar = None


class _Bar:
    """One line on a terminal, drawn by rich; text that does not fit is cut, never wrapped."""

    def __init__(self, terminal: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        self._terminal = terminal
        self._console = Console(file=terminal, force_terminal=True, highlight=False)
        self._bar_column = BarColumn(_BAR_WIDTH)
        column = Column(no_wrap=True, overflow="crop")
        self._text_column = TextColumn("{task.description}", markup=False, table_column=column)
        self._progress = Progress(
            self._text_column,
            console=self._console,
            transient=True,
            auto_refresh=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=1.0)
        self._started = False
        atexit.register(self.remove)  # rich hides the cursor: show it again, whatever happens

    def draw(self, text: str, share: float | None) -> None:
        """Draw the bar and the text; the text alone if both do not fit."""
        if columns := terminal_width(self._terminal):
            self._console.width = columns
        fits = _BAR_WIDTH + 1 + len(text) < self._console.width
        has_bar = share is not None and fits
        self._progress.columns = (
            (self._bar_column, self._text_column) if has_bar else (self._text_column,)
        )
        self._progress.update(self._task, description=text, completed=share or 0.0)
        if self._started:
            self._progress.refresh()
        else:
            self._progress.start()
            self._started = True

    def remove(self) -> None:
        """Erase the line."""
        self._progress.stop()
        atexit.unregister(self.remove)


def _can_draw(terminal: TextIO | None) -> bool:
    """Whether a bar can be drawn: on a terminal that moves its cursor, by an installed rich."""
    if terminal is None or not moves_cursor():
        return False
    return importlib.util.find_spec("rich") is not None
