"""A table of text that fits the width of a terminal without cutting anything off.

Where the columns do not fit, the gaps shrink, then texts wrap; where that is not enough, each row
becomes a block of lines. Without a width the columns are as wide as their texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.terminal.cells import cell_width, padded, wrapped
from numerai_predict.terminal.colours import paint
from numerai_predict.terminal.states import tone_of

_GAP, _NARROW_GAP = 2, 1
_MIN_WRAPPED = 16


@dataclass(frozen=True)
class Column:
    """A column: its title, and how its cells are shown.

    `right` aligns numbers, `wraps` allows several lines, `state` colours words of `states`.
    """

    title: str
    right: bool = False
    wraps: bool = False
    state: bool = False


@dataclass(frozen=True)
class TextTable:
    """Columns and rows of text; titles and cells are made printable. `indent` columns stay free."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    indent: int = 0
    _cells: list[list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make all text printable, whatever a model, a server or a file put into it."""
        columns = [replace(column, title=one_line(column.title)) for column in self.columns]
        object.__setattr__(self, "columns", columns)
        cells = [[one_line(cell) for cell in row] for row in self.rows]
        object.__setattr__(self, "_cells", cells)

    def lines(self, width: int | None = None, *, colours: bool = False) -> list[str]:
        """The lines: the titles, unless none is set, then the rows."""
        has_titles = any(column.title for column in self.columns)
        rows = [[column.title for column in self.columns]] * has_titles + self._cells
        layout = self._fitting(rows, width)
        if layout is None:
            return list(self._blocks(colours))
        return [
            line
            for number, row in enumerate(rows)
            for line in layout.lines(row, colours and not (has_titles and number == 0))
        ]

    def _fitting(self, rows: Sequence[Sequence[str]], width: int | None) -> _Layout | None:
        """The layout for the width; `None` if the columns do not fit however texts wrap."""
        widths = [max(map(cell_width, column)) for column in zip(*rows, strict=True)]
        wide = _Layout(self.columns, widths, self.indent, _GAP)
        if width is None or wide.total <= width:
            return wide
        narrow = replace(wide, gap=_NARROW_GAP)
        if narrow.total <= width:
            return narrow
        return narrow.wrapped_into(width)

    def _blocks(self, colours: bool) -> Iterator[str]:
        """Each row as a heading, its first cell, and a line for each other cell that has text."""
        titles = [column.title for column in self.columns]
        for heading, *cells in self._cells:
            first, *columns = self.columns
            yield " " * self.indent + _shown(heading, first, colours)
            for title, cell, column in zip(titles[1:], cells, columns, strict=True):
                if cell:
                    label = f"{title}: " if title else ""
                    yield f"{' ' * (self.indent + _GAP)}{label}{_shown(cell, column, colours)}"


@dataclass(frozen=True)
class _Layout:
    """Widths of columns; `total` is that of a line."""

    columns: Sequence[Column]
    widths: Sequence[int]
    indent: int
    gap: int

    @property
    def total(self) -> int:
        return self.indent + sum(self.widths) + self.gap * (len(self.widths) - 1)

    def wrapped_into(self, width: int) -> _Layout | None:
        """This layout with wrapping columns made narrower, the widest first, until it fits."""
        layout = self
        wrapping = [i for i, column in enumerate(self.columns) if column.wraps]
        for i in sorted(wrapping, key=lambda i: -self.widths[i]):
            space = max(layout.widths[i] - (layout.total - width), _MIN_WRAPPED)
            widths = [*layout.widths]
            widths[i] = min(space, widths[i])
            layout = replace(layout, widths=widths)
            if layout.total <= width:
                return layout
        return None

    def lines(self, row: Sequence[str], colours: bool) -> Iterator[str]:
        """The lines of a row: as many as its longest cell takes."""
        parts = [wrapped(cell, width) for cell, width in zip(row, self.widths, strict=True)]
        for number in range(max(map(len, parts))):
            texts = (part[number] if number < len(part) else "" for part in parts)
            cells = map(self._cell, self.columns, texts, self.widths, [colours] * len(parts))
            yield (" " * self.indent + (" " * self.gap).join(cells)).rstrip()

    def _cell(self, column: Column, text: str, width: int, colours: bool) -> str:
        return padded(text, width, right=column.right).replace(
            text, _shown(text, column, colours), 1
        )


def _shown(text: str, column: Column, colours: bool) -> str:
    return paint(text, tone_of(text)) if colours and column.state and text else text
