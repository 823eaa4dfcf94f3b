"""Encodes what the model returned: a description and an Arrow stream."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from numerai_predict.runner.hosted_forms import ReturnedForm
from numerai_predict.runner.validation.prediction_column import prediction_column

_MAX_NAME_CHARACTERS = 100
_MAX_COLUMNS = 100
# A longer id is none of the live data.
_MAX_ID_CHARACTERS = 1_000
_NUMBERS = (int, float, np.integer, np.floating, np.bool_)


def encode(returned: Any) -> tuple[dict[str, Any], bytes]:
    """The fields of `protocol.Predicted` but `seconds`, and the predictions as an Arrow stream.

    The stream has the columns `id` (string, null if missing in the index) and `value`: float64,
    NaN if missing, or string if the column is not numeric. It is empty if the object is not a
    DataFrame, or no column is chosen.
    """
    if not isinstance(returned, pd.DataFrame):
        return {"type": _type_name(returned), "rows": 0, "columns": [], "form": ReturnedForm()}, b""
    columns = [str(name)[:_MAX_NAME_CHARACTERS] for name in returned.columns]
    position = prediction_column(columns)
    description = {
        "type": "DataFrame",
        "rows": len(returned),
        "columns": columns[:_MAX_COLUMNS] if position is None else _chosen_first(columns, position),
        "form": _form(returned, position),
    }
    if position is None:
        return description, b""
    table = pa.table({"id": _ids(returned.index), "value": _values(returned.iloc[:, position])})
    return description, _stream(table)


def _chosen_first(columns: list[str], position: int) -> list[str]:
    """Column names with the chosen one first, so that a wide frame keeps it."""
    others = columns[:position] + columns[position + 1 :]
    return [columns[position], *others[: _MAX_COLUMNS - 1]]


def _form(frame: pd.DataFrame, position: int | None) -> ReturnedForm:
    index_type = _index_type(frame.index)
    names = ", ".join(_text(name) for name in frame.index.names if name is not None)
    subclass = "" if type(frame) is pd.DataFrame else _type_name(frame)
    form = ReturnedForm(
        subclass=subclass, index_type=index_type, index_name=names, columns=frame.shape[1]
    )
    if position is None:
        return form
    label, column = frame.columns[position], frame.iloc[:, position]
    others = (at for at in range(frame.shape[1]) if at != position)
    return replace(
        form,
        column=_text(label)[:_MAX_NAME_CHARACTERS],
        column_is_text=isinstance(label, str),
        position=position,
        dtype=_dtype(column),
        is_arrow=isinstance(column.dtype, pd.ArrowDtype),
        nan_elsewhere=any(bool(frame.iloc[:, at].isna().any()) for at in others),
    )


def _index_type(index: pd.Index[Any]) -> str:
    if isinstance(index, pd.MultiIndex):
        return "MultiIndex"
    return str(pd.api.types.infer_dtype(index, skipna=True))


def _dtype(column: pd.Series[Any]) -> str:
    if column.dtype != object or not len(column):
        return str(column.dtype)[:_MAX_NAME_CHARACTERS]
    return f"object ({_type_name(column.iloc[0])})"


def _type_name(value: Any) -> str:
    kind = type(value)
    if value is None:
        return "None"
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"[:_MAX_NAME_CHARACTERS]


def _ids(index: pd.Index[Any]) -> pa.Array:
    missing = np.zeros(len(index), bool) if isinstance(index, pd.MultiIndex) else index.isna()
    return pa.array(
        [
            None if is_missing else _text(value)
            for value, is_missing in zip(index, missing, strict=True)
        ],
        pa.string(),
    )


def _values(column: pd.Series[Any]) -> pa.Array:
    kinds = pd.api.types
    if kinds.is_numeric_dtype(column.dtype) and not kinds.is_complex_dtype(column.dtype):
        return pa.array(column.to_numpy(dtype=np.float64, na_value=np.nan), pa.float64())
    if column.dtype == object and all(_is_number(value) for value in column):
        try:
            return pa.array([math.nan if pd.isna(v) else float(v) for v in column], pa.float64())
        except OverflowError:
            pass  # an integer beyond float64: encoded as text
    return pa.array([_text(value)[:_MAX_NAME_CHARACTERS] for value in column], pa.string())


def _is_number(value: Any) -> bool:
    """Whether a CSV file has the value as a number; a fraction is text there, such as 1/3."""
    return isinstance(value, _NUMBERS) or value is None or value is pd.NA


def _text(value: Any) -> str:
    return str(value)[:_MAX_ID_CHARACTERS].encode(errors="replace").decode()


def _stream(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue().to_pybytes()  # type: ignore[no-any-return]
