"""A reader of FlatBuffers tables that checks every offset: a model's bytes are untrusted."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from numerai_predict.acceleration.tables import NotSupported

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FlatTable:
    """One table; fields have the numbers of their order in the schema.

    Every method raises `NotSupported` where the bytes are no such thing.
    """

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position
        self._fields = position - self._number("<i", position)
        self._size = self._number("<H", self._fields)

    @classmethod
    def root(cls, data: bytes) -> FlatTable:
        """The table that the bytes begin with."""
        return cls(data, _number(data, "<I", 0))

    def scalar(self, field: int, kind: str, default: Any) -> Any:
        """A number, in the notation of `struct`; the default where it is left out."""
        at = self._offset(field)
        return default if at is None else self._number(kind, at)

    def table(self, field: int) -> FlatTable:
        """A table."""
        at = self._offset(field)
        if at is None:
            raise NotSupported("its bytes cannot be read")
        return FlatTable(self._data, at + self._number("<I", at))

    def vector(self, field: int, dtype: str) -> NDArray[Any]:
        """A vector of numbers of a NumPy type; empty where it is left out."""
        import numpy as np

        start, count = self._vector(field)
        size = np.dtype(dtype).itemsize
        if start + count * size > len(self._data):
            raise NotSupported("its bytes cannot be read")
        return np.frombuffer(self._data, dtype, count, start)

    def tables(self, field: int) -> list[FlatTable]:
        """A vector of tables."""
        start, _ = self._vector(field)
        offsets = self.vector(field, "<u4").tolist()
        return [FlatTable(self._data, start + 4 * i + each) for i, each in enumerate(offsets)]

    def count(self, field: int) -> int:
        """The length of a vector; 0 where it is left out."""
        return self._vector(field)[1]

    def _vector(self, field: int) -> tuple[int, int]:
        at = self._offset(field)
        if at is None:
            return 0, 0
        start = at + self._number("<I", at)
        return start + 4, self._number("<I", start)

    def _offset(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._size:
            return None
        offset = self._number("<H", self._fields + entry)
        return self._position + offset if offset else None

    def _number(self, kind: str, at: int) -> Any:
        return _number(self._data, kind, at)


def _number(data: bytes, kind: str, at: int) -> Any:
    if not 0 <= at <= len(data) - struct.calcsize(kind):
        raise NotSupported("its bytes cannot be read")
    return struct.unpack_from(kind, data, at)[0]
