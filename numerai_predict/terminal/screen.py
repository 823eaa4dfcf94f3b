"""A stream for people: the width and the colours that its terminal has, plain text elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TextIO, TypeAlias

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.terminal.colours import has_colours, is_terminal
from numerai_predict.terminal.table import TextTable

Part: TypeAlias = str | TextTable


@dataclass(frozen=True)
class Screen:
    """How text is laid out: columns of the terminal, `None` for any number, and colours."""

    width: int | None = None
    colours: bool = False

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Screen:
        """The screen that the stream leads to."""
        return cls(terminal_width(stream), has_colours(stream, environment))

    def text(self, parts: Iterable[Part]) -> str:
        """Lines and tables as one text with a final line feed; each line is made printable."""
        return "".join(f"{line}\n" for part in parts for line in self._lines(part))

    def _lines(self, part: Part) -> list[str]:
        if isinstance(part, str):
            return [one_line(part)]
        return part.lines(self.width, colours=self.colours)


def terminal_width(stream: TextIO) -> int | None:
    """The columns of the stream's terminal; `None` if they are unknown, or it leads elsewhere."""
    if not is_terminal(stream):
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def show(*parts: Part) -> None:
    """Print lines and tables on standard output, as its screen shows them."""
    sys.stdout.write(Screen.of(sys.stdout).text(parts))
