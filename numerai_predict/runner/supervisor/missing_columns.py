"""Counts the columns that pandas did not find, by the text of its KeyError.

Heuristic: the exception has the names in its message alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_MIN_MISSING = 4  # fewer are named by the message itself
_SHOWN = 3
_ALL_MISSING = re.compile(r"[\"']?None of \[")
_LIST_START = re.compile(r"[\"']?(?:None of \[(?:\w*Index\()?)?\[(?=['\"])")
# A name and what comes before it: a separator, or the dots of a list that pandas abbreviated.
_NEXT_NAME = re.compile(r"(?:[\s,.]|\\n)*(?:'([^'\n]*)'|\"([^\"\n]*)\")")
_LENGTH = re.compile(r"length=(\d{1,9})\b")


def describe_missing_columns(text: str, named: Collection[str]) -> str | None:
    """The sentence `42 of 42 features missing, such as a, b, c`; `None` for any other text.

    `text` is the message of a KeyError of pandas, perhaps cut off; `named` are the features that
    the pickle names.
    """
    start = _LIST_START.match(text)
    if start is None:
        return None
    names, end = _names_from(text, start.end())
    if len(names) < _MIN_MISSING:
        return None
    length = _LENGTH.search(text, end)
    count = int(length[1]) if length else len(names)
    total = count if _ALL_MISSING.match(text) else _total(names, count, named)
    noun = "features" if all(name.startswith("feature") for name in names) else "columns"
    is_complete = text.startswith("]", end)
    shown = f"{count:,}" if is_complete else f"at least {count:,}"
    if total and is_complete:
        shown = f"{shown} of {total:,}"
    return f"{shown} {noun} missing, such as {', '.join(names[:_SHOWN])}"


def _names_from(text: str, position: int) -> tuple[list[str], int]:
    """The names of the list, and the position after the last one."""
    names = []
    while found := _NEXT_NAME.match(text, position):
        names.append(found[1] if found[1] is not None else found[2])
        position = found.end()
    return names, position


def _total(missing: Collection[str], count: int, named: Collection[str]) -> int | None:
    """How many features the model uses, if the pickle names all that are missing."""
    return len(named) if len(named) >= count and set(missing) <= set(named) else None
