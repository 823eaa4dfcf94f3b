"""Logs the stdout and stderr of the model line by line."""

from __future__ import annotations

import re
from collections.abc import Callable

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.limits import format_size

_MAX_SHOWN_BYTES = 64 * 1024
_MAX_LINE_CHARACTERS = 2_000
# Colours and cursor movements, which progress bars and loggers print (ECMA-48, CSI).
_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class ModelOutput:
    """Splits the model's output into lines and shows the first 64 KiB of them.

    The rest is counted, not kept: a model may print endlessly. Colours are dropped and
    other control characters escaped, so that a model cannot control the user's terminal.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._line = b""
        self._shown_bytes = 0
        self._hidden_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Process output of the model."""
        if self._shown_bytes >= _MAX_SHOWN_BYTES:
            self._hidden_bytes += len(chunk)
            return
        *lines, self._line = (self._line + chunk).split(b"\n")
        for line in lines:
            self._show_line(line)
        if len(self._line) > _MAX_LINE_CHARACTERS:
            self._show_line(self._line)
            self._line = b""

    def finish(self) -> None:
        """Show an unfinished last line, and how much was not shown."""
        if self._line:
            self._show_line(self._line)
            self._line = b""
        if self._hidden_bytes:
            self._show(f"... and {format_size(self._hidden_bytes)} more, not shown")
            self._hidden_bytes = 0

    def _show_line(self, line: bytes) -> None:
        if self._shown_bytes >= _MAX_SHOWN_BYTES:
            self._hidden_bytes += len(line) + 1
            return
        self._shown_bytes += len(line) + 1
        # Of a progress bar that redraws its line only the last state is shown.
        text = line.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
        text = _TERMINAL_SEQUENCE.sub("", text).replace("\t", "    ")
        self._show(one_line(text, _MAX_LINE_CHARACTERS))
