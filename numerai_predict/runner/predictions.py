"""The model's answer, read by the process that the model could not touch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from numerai_predict.runner.prediction_column import prediction_column
from numerai_predict.runner.protocol import MalformedFrame

UNKNOWN = -1


@dataclass(frozen=True)
class Predictions:
    """What a model returned, beside the live ids that it was asked for.

    `type` is the returned object's type, `columns` the names of its columns. `ids`
    has one entry a row, `None` where the index is missing one. `values` has
    shape (rows,) and dtype float64, or holds texts where the column is no
    numbers; it is `None`, as `ids` is empty, where no column could be chosen.
    """

    live_ids: list[str]
    type: str
    rows: int
    columns: list[str]
    ids: list[str | None]
    values: NDArray[np.float64] | list[str] | None

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """For each row the position of its id in the live data, or `UNKNOWN`."""
        place = {live_id: position for position, live_id in enumerate(self.live_ids)}
        found = [UNKNOWN if i is None else place.get(i, UNKNOWN) for i in self.ids]
        return np.array(found, dtype=np.int64)

    @cached_property
    def rows_per_live_id(self) -> NDArray[np.int64]:
        """How many rows each live id has, in the order of the live data."""
        known = self.positions[self.positions != UNKNOWN]
        return np.bincount(known, minlength=len(self.live_ids))

    @cached_property
    def live_values(self) -> NDArray[np.float64]:
        """The numbers of the rows whose id is live: the only ones that are judged."""
        if not isinstance(self.values, np.ndarray):
            return np.empty(0)
        live: NDArray[np.float64] = self.values[self.positions != UNKNOWN]
        return live

    @cached_property
    def live_value_ids(self) -> list[str]:
        """The id of each of `live_values`."""
        return [self.live_ids[position] for position in self.positions if position != UNKNOWN]

    def in_live_order(self) -> NDArray[np.float64]:
        """The predictions in the order of the live data; only of checked ones."""
        ordered = np.empty(len(self.live_ids))
        ordered[self.positions[self.positions != UNKNOWN]] = self.live_values
        return ordered


def decode(facts: dict[str, Any], payload: bytes, live_ids: list[str]) -> Predictions:
    """The answer that `child.answer.encode` wrote.

    Raises:
        MalformedFrame: it is not one.
    """
    columns, rows = facts.get("columns"), facts.get("rows")
    if not isinstance(columns, list) or type(rows) is not int:
        raise MalformedFrame("an answer without rows and columns")
    columns = [str(name) for name in columns]
    table = _read_table(payload) if payload else None
    if table is not None and prediction_column(columns) is None:
        raise MalformedFrame("predictions without a column that they come from")
    return Predictions(
        live_ids=live_ids,
        type=str(facts.get("type")),
        rows=rows if table is None else table.num_rows,
        columns=columns,
        ids=[] if table is None else table.column("id").to_pylist(),
        values=None if table is None else _values(table.column("value")),
    )


def _read_table(payload: bytes) -> pa.Table:
    try:
        table = pa.ipc.open_stream(payload).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise MalformedFrame(f"no Arrow stream: {error}") from None
    if table.schema.names != ["id", "value"] or table.schema.types[0] != pa.string():
        raise MalformedFrame("an Arrow stream of other columns than id and value")
    if table.schema.types[1] not in (pa.float64(), pa.string()):
        raise MalformedFrame(f"values of type {table.schema.types[1]}")
    return table


def _values(column: pa.ChunkedArray) -> NDArray[np.float64] | list[str]:
    if column.type == pa.string():
        return [str(text) for text in column.to_pylist()]
    return np.asarray(column.to_numpy(), dtype=np.float64)
