"""Numbers of things in messages."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """The number and the noun, with an s unless the number is one: `1 result`, `2,000 results`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
