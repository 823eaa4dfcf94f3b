"""When a stream gets colours, and the codes for them; the rules are those of rich."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

from numerai_predict.terminal.states import Tone

_CODES = {Tone.DONE: 32, Tone.ACTIVE: 36, Tone.WAITING: 33, Tone.FAILED: 31}
_DUMB_TERMINALS = ("dumb", "unknown")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream leads to a terminal; it is `None` if it was closed before the start."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it was closed since
        return False


def moves_cursor(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal of the environment understands control sequences."""
    return environment.get("TERM", "").lower() not in _DUMB_TERMINALS


def has_colours(stream: TextIO | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether text for the stream is coloured.

    `NO_COLOR` switches colours off, `FORCE_COLOR` on, also where the stream is no terminal.
    """
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and moves_cursor(environment)


def paint(text: str, tone: Tone | None) -> str:
    """The text in the colour of the tone, then the terminal's own colour again."""
    return text if tone is None else f"\x1b[{_CODES[tone]}m{text}\x1b[0m"
