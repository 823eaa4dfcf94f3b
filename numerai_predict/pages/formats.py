"""Formats values for pages; `page.js` formats the values of tables in the same way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from markupsafe import Markup

from numerai_predict.contract.foreign_text import (
    MAX_NAME_CHARACTERS,
    one_line,
    printable_lines,
)
from numerai_predict.contract.limits import format_clock, format_size

ABSENT = "\N{EN DASH}"


def format_number(value: float | None, digits: int = 4) -> str:
    """A number with a minus sign in place of a hyphen; a dash for `None` or NaN."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def format_interval(interval: tuple[float, float] | None, digits: int = 4) -> str:
    """An interval; a dash for `None`."""
    return " to ".join(format_number(each, digits) for each in interval or (None,))


def format_utc(seconds: float | None) -> str:
    """A time in seconds since 1970; a dash for `None`."""
    if seconds is None:
        return ABSENT
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")


def format_seconds(seconds: float | None) -> str:
    """A duration: `2.50 s`, `12:30`; a dash for `None`."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    return f"{seconds:.2f} s" if seconds < 60 else format_clock(seconds)


def format_bytes(size: float | None) -> str:
    """A size: `4.0 GiB`; a dash for `None`."""
    return ABSENT if size is None else format_size(size)


def format_text(value: object) -> str:
    """Any other value; a dash for `None` and for an empty text."""
    return ABSENT if value is None or value == "" else str(value)


def format_printable(value: Any) -> Any:
    """A text with each of its lines made printable; markup and any other value as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return value if value.isascii() and value.isprintable() else printable_lines(value)


def format_name(value: object) -> str:
    """A name of unknown origin: short, printable and on one line."""
    return one_line(value, MAX_NAME_CHARACTERS)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "number": format_number,
    "interval": format_interval,
    "utc": format_utc,
    "seconds": format_seconds,
    "bytes": format_bytes,
    "text": format_text,
    "line": one_line,
    "name": format_name,
    "count": lambda value: format_number(value, 0),
}
