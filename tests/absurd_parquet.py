"""Parquet files of a few kilobytes whose metadata claim more than a machine has.

Metadata are written in Thrift's compact protocol, field by field (parquet.thrift), because no
library writes such files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

IDS_AS_INDEX = {"pandas": '{"index_columns": ["id"], "columns": []}'}
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_BYTE_ARRAY, _OPTIONAL = 6, 1
_STOP = b"\0"


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _zigzag(number: int) -> bytes:
    return _varint(2 * number if number >= 0 else -2 * number - 1)


def _field(delta: int, kind: int, value: bytes) -> bytes:
    return bytes([delta << 4 | kind]) + value


def _text(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _list(items: Iterable[bytes], claimed: int | None = None) -> bytes:
    found = list(items)
    return bytes([0xF0 | _STRUCT]) + _varint(claimed or len(found)) + b"".join(found)


def _group(name: bytes, children: int) -> bytes:
    return _field(4, _BINARY, _text(name)) + _field(1, _I32, _zigzag(children)) + _STOP


def _column(name: bytes) -> bytes:
    kinds = _field(1, _I32, _zigzag(_BYTE_ARRAY)) + _field(2, _I32, _zigzag(_OPTIONAL))
    return kinds + _field(1, _BINARY, _text(name)) + _STOP


def _file(schema: bytes, rows: int = 0) -> bytes:
    parts = _field(1, _I32, _zigzag(1)) + _field(1, _LIST, schema)
    parts += _field(1, _I64, _zigzag(rows)) + _field(1, _LIST, _list([])) + _STOP
    return _with_metadata(b"", parts)


def _with_metadata(body: bytes, metadata: bytes) -> bytes:
    return b"PAR1" + body + metadata + struct.pack("<I", len(metadata)) + b"PAR1"


def _repeated(rows: int, size: int, folder: Path) -> bytes:
    ids = pa.DictionaryArray.from_arrays(np.zeros(rows, dtype="int32"), ["n" * size])
    return _written(pa.table({"id": ids}), folder)


def _written(table: pa.Table, folder: Path) -> bytes:
    pq.write_table(table.replace_schema_metadata(IDS_AS_INDEX), folder / "written.parquet")
    return (folder / "written.parquet").read_bytes()


def _with_rows(rows: int, folder: Path) -> bytes:
    """A sound file of 200 rows that claims others."""
    data = _written(pa.table({"id": [f"n{number}" for number in range(200)]}), folder)
    length = struct.unpack("<I", data[-8:-4])[0]
    body, metadata = data[4 : -8 - length], data[-8 - length : -8]
    old, new = (bytes([1 << 4 | _I64]) + _zigzag(number) for number in (200, rows))
    assert old in metadata
    return _with_metadata(body, metadata.replace(old, new))


FILES = {
    "rows": lambda folder: _with_rows(2**62, folder),
    "negative rows": lambda folder: _with_rows(-5, folder),
    "repeated ids": lambda folder: _repeated(100_000, 1_000_000, folder),
    "deep schema": lambda _: _file(_list([*[_group(b"a", 1)] * 20_000, _column(b"id")])),
    "children": lambda _: _file(_list([_group(b"schema", 2**31 - 1), _column(b"id")])),
    "list": lambda _: _file(_list([_group(b"schema", 1), _column(b"id")], claimed=2**31 - 1)),
    "name": lambda _: _file(_list([_field(4, _BINARY, _varint(2**31 - 2) + b"x")])),
    "metadata": lambda _: b"PAR1" + struct.pack("<I", 2**32 - 1) + b"PAR1",
    "nested structures": lambda _: _with_metadata(b"", bytes([1 << 4 | _STRUCT]) * 200_000),
}


def write(name: str, folder: Path) -> Path:
    """Write one of `FILES` into a directory; its path."""
    path = folder / "absurd.parquet"
    path.write_bytes(FILES[name](folder))
    return path
