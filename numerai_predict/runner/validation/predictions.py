"""Decodes the returned Arrow stream, in a process that the model cannot touch."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from numerai_predict.contract.errors import InvalidPredictions
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.resources.memory import limit_heap_growth
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.hosted_forms import ReturnedForm
from numerai_predict.runner.protocol import Predicted
from numerai_predict.runner.validation.prediction_column import prediction_column

UNKNOWN = -1

# Beyond 0 or 1; a scaler leaves some 1e-16.
_LARGEST_ROUNDING_ERROR = 1e-9

# The objects of Python for the rows of the largest response.
_MAX_UNPACKED_BYTES = 1024**3
# No stream is compressed, so that reading one allocates next to nothing; a forged one of few
# bytes must not unpack to many.
_MAX_READ_BYTES = 64 * 1024**2
# Buffers of a stream may overlap, those of its two columns.
_MAX_BYTES_PER_BYTE = 3
_MAX_ROWS = 2_000_000
_ROWS_PER_LIVE_ID = 10


@dataclass(frozen=True)
class Predictions:
    """What a model returned, together with the live ids.

    `type` is the type of the returned object, `columns` the names of its first columns. `ids` has
    one entry per row, `None` for a missing id. So has either `values` (float64, NaN if missing) or,
    if the column is not numeric, `texts`. All are empty if no column was chosen.

    Plain lists, because importing numpy takes longer than processing some thousand live rows.
    """

    live_ids: list[str]
    type: str
    rows: int
    columns: list[str]
    ids: list[str | None]
    column_chosen: bool
    values: list[float]
    texts: list[str]
    form: ReturnedForm = field(default_factory=ReturnedForm)

    @property
    def column_count(self) -> int:
        """Number of columns, also of those that `columns` leaves out."""
        return max(self.form.columns, len(self.columns))

    @cached_property
    def positions(self) -> list[int]:
        """For each row the position of its id in the live data, or `UNKNOWN`."""
        positions = {live_id: position for position, live_id in enumerate(self.live_ids)}
        return [UNKNOWN if i is None else positions.get(i, UNKNOWN) for i in self.ids]

    @cached_property
    def rows_per_live_id(self) -> list[int]:
        """How many rows each live id has, in the order of the live data."""
        counts = Counter(self.positions)
        return [counts[position] for position in range(len(self.live_ids))]

    @cached_property
    def live_values(self) -> list[tuple[str, float]]:
        """Id and value of the rows whose id is live: the only rows that are validated."""
        if not self.values:
            return []
        rows = zip(self.positions, self.values, strict=True)
        return [(self.live_ids[at], value) for at, value in rows if at != UNKNOWN]

    def in_live_order(self) -> list[float]:
        """The predictions in the order of the live data; only for validated predictions.

        A rounding error beyond 0 or 1 is clipped.
        """
        values = dict(self.live_values)
        return [_clipped(values[live_id]) for live_id in self.live_ids]


def _clipped(value: float) -> float:
    is_rounded = -_LARGEST_ROUNDING_ERROR <= value <= 1 + _LARGEST_ROUNDING_ERROR
    return min(max(value, 0.0), 1.0) if is_rounded else value


def decode(predicted: Predicted, payload: bytes, live_ids: list[str]) -> Predictions:
    """The predictions that `child.prediction_encoder` encoded.

    Raises:
        MalformedFrame: the response is not what it encodes.
        InvalidPredictions: it has far more rows than the live data.
    """
    columns = predicted.columns
    if not payload:
        return Predictions(
            live_ids, predicted.type, predicted.rows, columns, [], False, [], [], predicted.form
        )
    if prediction_column(columns) is None:
        raise MalformedFrame("predictions without a column that they come from")
    try:
        table = _read_table(payload)
        _require_few_rows(table.num_rows, len(live_ids))
        with limit_heap_growth(_MAX_UNPACKED_BYTES):
            return _unpack(predicted, table, live_ids)
    except MemoryError:
        raise MalformedFrame("a response that unpacks to more memory than allowed") from None


def _require_few_rows(rows: int, live_rows: int) -> None:
    most = _MAX_ROWS + _ROWS_PER_LIVE_ID * live_rows
    if rows > most:
        raise InvalidPredictions(
            f"expected {live_rows:,} rows, found {rows:,}: more than the {most:,} that are read",
            "return one row for every id of live_features",
        )


def _unpack(predicted: Predicted, table: pa.Table, live_ids: list[str]) -> Predictions:
    value = table.column("value")
    is_text = value.type == pa.string()
    return Predictions(
        live_ids=live_ids,
        type=predicted.type,
        rows=table.num_rows,
        columns=predicted.columns,
        ids=table.column("id").to_pylist(),
        column_chosen=True,
        values=[] if is_text else [math.nan if v is None else v for v in value.to_pylist()],
        texts=[str(text) for text in value.to_pylist()] if is_text else [],
        form=predicted.form,
    )


def _read_table(payload: bytes) -> pa.Table:
    try:
        with limit_heap_growth(_MAX_READ_BYTES):
            table = pa.ipc.open_stream(payload).read_all()
            if table.nbytes > _MAX_BYTES_PER_BYTE * len(payload):
                raise MalformedFrame("a compressed response")
            table.validate(full=True)
    except (MemoryError, MalformedFrame):
        raise
    except Exception as error:  # whatever pyarrow raises for bytes that it did not write
        raise MalformedFrame(f"no Arrow stream: {one_line(error)}") from None
    if table.schema.names != ["id", "value"] or table.schema.types[0] != pa.string():
        raise MalformedFrame("an Arrow stream of other columns than id and value")
    if table.schema.types[1] not in (pa.float64(), pa.string()):
        raise MalformedFrame(f"values of type {table.schema.types[1]}")
    return table
