"""Numeric input as the engine reads it: a pointer, a type and two strides."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TYPES = {"int8": 0, "float32": 1, "float64": 2}
_NUMERIC = "biuf"


class NotSupported(Exception):
    """The engine cannot predict this; the message is the reason, and the library is used."""


@dataclass(frozen=True)
class NumericTable:
    """A matrix of shape (rows, columns) of int8, float32 or float64, in any strides."""

    values: NDArray[Any]

    @property
    def type(self) -> int:
        """The type's number in the engine."""
        return _TYPES[self.values.dtype.name]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.values.shape[0])

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])


def is_frame(data: Any) -> bool:
    """Whether the data is exactly a pandas DataFrame; pandas is not imported for that."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and type(data) is pandas.DataFrame


def as_table(
    data: Any, integers: type[np.generic], frames: type[np.generic] | None = None
) -> NumericTable:
    """The data as the library reads it.

    Args:
        data: an array of two dimensions or a DataFrame, of numbers.
        integers: what the library converts arrays of other types than float32 and float64 to.
        frames: what it converts all values to, those of frames and float64 too; `None` where it
            keeps float64, and finds the type of a frame as LightGBM does.

    Raises:
        NotSupported: other data, or types that the library treats in a way of its own.
    """
    import numpy as np

    if is_frame(data):
        return _from_frame(data, frames)
    if type(data) is not np.ndarray or data.ndim != 2:
        raise NotSupported("input that is neither a DataFrame nor an array of two dimensions")
    if data.dtype.kind not in _NUMERIC or not data.dtype.isnative:
        raise NotSupported("input that is not numeric")
    if frames is not None and data.dtype != np.int8:
        return NumericTable(data.astype(frames, copy=False))
    return NumericTable(data if data.dtype.name in _TYPES else data.astype(integers))


def _from_frame(frame: Any, target: Any) -> NumericTable:
    """The values of a frame, in the type that LightGBM gives them unless there is a `target`.

    That is float32, or wider as needed. int8 stays: it is exact in all.
    """
    import numpy as np

    types = set(frame.dtypes)
    if not all(isinstance(each, np.dtype) and each.kind in _NUMERIC for each in types):
        raise NotSupported("columns that are not numeric")
    if not types:
        raise NotSupported("input without columns")
    if types == {np.dtype(np.int8)}:
        return NumericTable(frame.to_numpy())
    target = np.dtype(target or np.result_type(np.float32, *types))
    if target.name not in _TYPES:
        raise NotSupported(f"columns of {target.name}")
    return NumericTable(frame.to_numpy(dtype=target))
