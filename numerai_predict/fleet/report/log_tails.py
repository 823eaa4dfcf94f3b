"""The last lines of the logs of models."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from numerai_predict.contract.foreign_text import one_line

_MAX_LINES, _MAX_LINE_CHARACTERS, _READ_BYTES = 12, 200, 4_096


def log_tail(path: Path) -> str:
    """The last lines of a log; empty if it cannot be read."""
    try:
        with open(path, "rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            start = handle.seek(max(0, size - _READ_BYTES))
            lines = handle.read().decode(errors="replace").rstrip("\n").split("\n")
    except OSError:
        return ""
    complete = lines[1:] if start and len(lines) > 1 else lines
    return "\n".join(one_line(line, _MAX_LINE_CHARACTERS) for line in complete[-_MAX_LINES:])


def log_tails(folder: Path, names: Iterable[str], max_characters: int) -> dict[str, str]:
    """The tails of these models' logs by name: the first ones, as many as fit."""
    found: dict[str, str] = {}
    left = max_characters
    for name in names:
        tail = log_tail(folder / f"{name}.log")
        left -= len(tail)
        if left < 0:
            break
        if tail:
            found[name] = tail
    return found
