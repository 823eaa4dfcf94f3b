"""Tables that are searched, sorted and filtered by a script, and shortened without one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import quote

from numerai_predict.pages import formats

_MAX_DISTINCT = 0.5  # share of distinct values up to which a column is stored as a list of those


class CellKind(str, Enum):
    """How the values of a column are shown and sorted; numbers are aligned at the right.

    Tags are a text with spaces between them; a filter finds the rows that have one of them.
    """

    TEXT = "text"
    STATE = "state"
    TAGS = "tags"
    COUNT = "count"
    SECONDS = "seconds"
    BYTES = "bytes"

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self in (CellKind.COUNT, CellKind.SECONDS, CellKind.BYTES)


@dataclass(frozen=True)
class TableColumn:
    """A column; a `secondary` one is left out on a narrow screen, a `details_only` one everywhere.

    The script offers a list of the values of a column that has a `filter`, and shows those
    columns with the details of a row.
    """

    key: str
    label: str
    kind: CellKind = CellKind.TEXT
    filter: bool = False
    secondary: bool = False
    details_only: bool = False

    def show(self, value: Any) -> str:
        """A value as text."""
        return _SHOW[self.kind](value)


@dataclass(frozen=True)
class RowFile:
    """A file of the `rows`: its relative `path` has `{}` in place of the row's name."""

    label: str
    path: str
    rows: frozenset[int]

    def href(self, name: str) -> str:
        """The relative address of the file of the row with this name."""
        return self.path.format(quote(name, safe=""))


@dataclass(frozen=True)
class DataTable:
    """A table, column by column; the first column has the names of the rows, which are unique.

    Attributes:
        name: what a row is, such as `model`: `#model=NAME` is the address of a row in the page.
        columns: the columns, in order.
        values: a list for each column, all of the same length.
        files: the files of the rows.
        logs: the last lines of the logs of some rows, by the number of the row.
        static: numbers of the rows that are shown without a script.
        left_out: says which rows those are; empty if none is missing.
    """

    name: str
    columns: Sequence[TableColumn]
    values: Mapping[str, Sequence[Any]]
    files: Sequence[RowFile] = ()
    logs: Mapping[int, str] = field(default_factory=dict)
    static: Sequence[int] = ()
    left_out: str = ""

    @property
    def names(self) -> Sequence[str]:
        """The names of the rows."""
        return self.values[self.columns[0].key]

    @property
    def shown_columns(self) -> Sequence[TableColumn]:
        """The columns of the table itself."""
        return [column for column in self.columns if not column.details_only]

    def files_of(self, row: int) -> list[tuple[str, str]]:
        """The label and the relative address of each file of a row."""
        name = self.names[row]
        return [(file.label, file.href(name)) for file in self.files if row in file.rows]

    def as_data(self) -> dict[str, Any]:
        """The table for the script."""
        return {
            "name": self.name,
            "columns": [_column_as_data(column) for column in self.columns],
            "values": {column.key: _compact(self.values[column.key]) for column in self.columns},
            "files": [
                {"label": file.label, "path": file.path, "rows": _runs(file.rows)}
                for file in self.files
            ],
            "logs": {str(row): text for row, text in self.logs.items()},
        }


def _column_as_data(column: TableColumn) -> dict[str, Any]:
    flags = {
        name: True for name in ("filter", "secondary", "details_only") if getattr(column, name)
    }
    return {"key": column.key, "label": column.label, "kind": column.kind.value, **flags}


def _compact(values: Sequence[Hashable]) -> Any:
    """The values, or where many are equal the distinct ones and the number of each value."""
    distinct = {value: number for number, value in enumerate(dict.fromkeys(values))}
    if len(distinct) > _MAX_DISTINCT * len(values):
        return list(values)
    return {"distinct": list(distinct), "numbers": [distinct[value] for value in values]}


def _runs(rows: frozenset[int]) -> list[int]:
    """First and last number of each run of consecutive rows, in one list."""
    ends: list[int] = []
    for row in sorted(rows):
        if ends and row == ends[-1] + 1:
            ends[-1] = row
        else:
            ends += [row, row]
    return ends


_SHOW = {
    CellKind.TEXT: formats.format_text,
    CellKind.STATE: formats.format_text,
    CellKind.TAGS: formats.format_text,
    CellKind.COUNT: lambda value: formats.format_number(value, 0),
    CellKind.SECONDS: formats.format_seconds,
    CellKind.BYTES: formats.format_bytes,
}
