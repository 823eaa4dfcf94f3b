"""Markdown for generated pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BANNER = "<!-- Made by 'make generate' from {source}: do not edit. -->"


def page(source: str, title: str, *blocks: str) -> str:
    """A page with its banner; blocks are separated by one empty line."""
    return "\n\n".join([BANNER.format(source=source), f"# {title}", *filter(None, blocks)]) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are text in Markdown, in which `|` is escaped here."""
    lines = [_row(columns), "|" + "---|" * len(columns)]
    return "\n".join([*lines, *map(_row, rows)])


def fence(text: str, language: str = "text") -> str:
    """Text as it stands, in a block."""
    return f"```{language}\n{text.rstrip()}\n```"


def code(text: object) -> str:
    """Text as inline code; empty text stays empty."""
    return f"`{text}`" if str(text) else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
