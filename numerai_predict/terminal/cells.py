"""The columns that a text takes on a terminal, and text fitted to a number of them."""

from __future__ import annotations

import textwrap
import unicodedata

_WIDE = ("W", "F")


def cell_width(text: str) -> int:
    """The number of columns: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text with spaces up to the width, after it or before it."""
    space = " " * max(width - cell_width(text), 0)
    return space + text if right else text + space


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, at least one; words that fit stay whole."""
    if cell_width(text) <= width:
        return [text]
    # A line of half as many characters fits also where each of them is wide.
    limit = width if cell_width(text) == len(text) else max(width // 2, 1)
    return textwrap.wrap(text, limit, break_on_hyphens=False) or [""]


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
