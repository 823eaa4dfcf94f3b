"""Reads the ids and the shape of live data: all that the supervisor needs of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.limits import format_size
from numerai_predict.inspection.file_type import describe_file

_REMEDY = (
    "use the tournament's own file as it was downloaded (v5.2/live.parquet), or write yours "
    "with the ids as the index: frame.set_index('id').to_parquet(path)"
)

# A few kilobytes of parquet can declare any number of equal values, of columns and of bytes to
# unpack. A round has about 10,000 rows, 3,000 columns and 200 KB of ids, and 2 MB of metadata.
_MOST_ROWS = 10_000_000
_MOST_COLUMNS = 100_000
_MOST_BYTES_OF_IDS = 1024**3
_MOST_BYTES_OF_METADATA = 32 * 1024**2
_ROWS_AT_ONCE = 64 * 1024
_LENGTH_AND_MAGIC = 8
_TEXT = "BYTE_ARRAY"


@dataclass(frozen=True)
class Shape:
    """Rows, columns and column names of a data set; the index is not counted as a column.

    `bytes` is what the columns of fixed width need in memory; a few kilobytes can declare any
    number. What text needs is known only once it is read.
    """

    rows: int
    columns: int
    names: frozenset[str] = frozenset()
    bytes: int = 0

    def __str__(self) -> str:
        return f"{self.rows:,} rows x {self.columns:,} columns"


def read_shape(path: Path, source: str) -> Shape:
    """The shape of a parquet file, from its metadata alone.

    Raises:
        DatasetUnavailable: it is not a parquet file.
    """
    with _open(path, source) as parquet:
        names = parquet.schema_arrow.names
        _require_at_most(_MOST_COLUMNS, len(names), "columns", source)
        count = len(names) - len(_index_columns(parquet))
        rows = parquet.metadata.num_rows
        return Shape(rows, count, frozenset(names), rows * _row_bytes(parquet.schema_arrow))


def require_memory(shape: Shape, limit_bytes: int | None, source: str) -> None:
    """Require that the data fit into so much memory, `None` for any.

    Raises:
        DatasetUnavailable: they do not.
    """
    if limit_bytes is not None and shape.bytes > limit_bytes:
        raise DatasetUnavailable(
            f"expected data that fit into {format_size(limit_bytes)} of memory, found that "
            f"{source} needs {format_size(shape.bytes)}: {shape}",
            "use the tournament's own file as it was downloaded; --memory allows a model more",
        )


def most_bytes(path: Path, source: str) -> int:
    """The most that the data can take in memory, from the file's metadata alone.

    No value is larger than its column's chunk, but a dictionary can repeat it for every row.

    Raises:
        DatasetUnavailable: it is not a parquet file.
    """
    with _open(path, source) as parquet:
        metadata = parquet.metadata
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
        texts = [chunk for chunk in chunks if chunk.physical_type == _TEXT]
        text_bytes = sum(chunk.num_values * chunk.total_uncompressed_size for chunk in texts)
        return int(metadata.num_rows * _row_bytes(parquet.schema_arrow) + text_bytes)


def _row_bytes(schema: pa.Schema) -> int:
    """The size of the fixed-width values of a row; pandas has a byte for a truth value."""
    types = (field.type for field in schema)
    return sum(max(8, int(each.bit_width)) // 8 for each in types if pa.types.is_primitive(each))


def read_ids(path: Path, source: str) -> list[str]:
    """The ids of the live data, in order; only that column is read.

    Raises:
        DatasetUnavailable: it is not a parquet file, its index is not `id`, or ids are absent,
            missing or not unique.
    """
    with _open(path, source) as parquet:
        index = _index_columns(parquet)
        if index != ["id"]:
            raise DatasetUnavailable(
                f"expected the ids as the index `id` of {source}, found {_found(parquet, index)}",
                _REMEDY,
            )
        kind = parquet.schema_arrow.field("id").type
        if not _can_be_ids(kind):  # else the model would be blamed for ids of another type
            raise DatasetUnavailable(
                f"expected the ids of {source} as text, found {kind}",
                "write them as text: frame.index = frame.index.map(str), or of bytes "
                "frame.index.map(bytes.decode)",
            )
        _require_at_most(_MOST_ROWS, parquet.metadata.num_rows, "live rows", source)
        try:
            # As a dictionary, an id that is repeated is in memory once.
            metadata = parquet.metadata
            with pq.ParquetFile(path, metadata=metadata, read_dictionary=["id"]) as by_value:
                ids = _read_text(by_value, "id", source)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, source, error) from error
    if not ids:
        raise DatasetUnavailable(f"expected live rows in {source}, found none", _REMEDY)
    if None in ids or len(set(ids)) < len(ids):
        raise DatasetUnavailable(
            f"expected every id of {source} once, found missing or repeated ones", _REMEDY
        )
    return ids


def _can_be_ids(kind: pa.DataType) -> bool:
    """Whether the values are texts or integers; an empty index has the type `null`."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = str(plain) in ("string", "large_string", "string_view", "null")
    return is_text or bool(pa.types.is_integer(plain))


def _read_text(parquet: pq.ParquetFile, column: str, source: str) -> list[Any]:
    """The values of a column as text, in memory in proportion to `_MOST_BYTES_OF_IDS`.

    Repeated values are counted before each of them becomes a text of its own.
    """
    _require_text_size(_unpacked_bytes(parquet, column), source)
    values: list[Any] = []
    size = 0
    for batch in parquet.iter_batches(_ROWS_AT_ONCE, columns=[column]):
        array = batch.column(0)
        if pa.types.is_dictionary(array.type):
            texts = array.dictionary.cast(pa.string())
            lengths = pc.binary_length(texts).take(array.indices)
            size += pc.sum(lengths).as_py() or 0
            _require_text_size(size, source)
            array = texts.take(array.indices)
        else:
            size += array.nbytes
            _require_text_size(size, source)
        values += array.cast(pa.string()).to_pylist()
    return values


def _unpacked_bytes(parquet: pq.ParquetFile, column: str) -> int:
    """The size of a column without compression, as the file's metadata declare it."""
    metadata = parquet.metadata
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    chunks = (group.column(number) for group in groups for number in range(group.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema == column)


def _require_text_size(size: int, source: str) -> None:
    if size > _MOST_BYTES_OF_IDS:
        raise DatasetUnavailable(
            f"expected at most {format_size(_MOST_BYTES_OF_IDS)} of ids in {source}, found more",
            _REMEDY,
        )


def _require_at_most(most: int, found: int, what: str, source: str) -> None:
    if found > most:
        raise DatasetUnavailable(
            f"expected at most {most:,} {what} in {source}, found {found:,}", _REMEDY
        )


def _open(path: Path, source: str) -> pq.ParquetFile:
    try:
        size = _metadata_bytes(path)
        if size > _MOST_BYTES_OF_METADATA:
            raise DatasetUnavailable(
                f"expected at most {format_size(_MOST_BYTES_OF_METADATA)} of metadata in {source}, "
                f"found {format_size(size)}",
                _REMEDY,
            )
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, source, error) from error


def _metadata_bytes(path: Path) -> int:
    """The length of the metadata that the end of a parquet file declares; 0 if it has none."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LENGTH_AND_MAGIC))
        length, magic = int.from_bytes(file.read(4), "little"), file.read()
    return length if magic == b"PAR1" and length <= size else 0


def _unreadable(path: Path, source: str, error: Exception) -> DatasetUnavailable:
    """The error for the file; no byte of it is quoted, and no text of pyarrow, which may."""
    found = describe_file(path)
    if found == "text":
        return DatasetUnavailable(
            f"expected a parquet file in {source}, found text: is it a CSV?",
            "convert it: pandas.read_csv(file).set_index('id').to_parquet('live.parquet'); "
            "or fetch the data set again",
        )
    if found == "a parquet file":
        found = f"one that is truncated or corrupt ({type(error).__name__})"
    return DatasetUnavailable(
        f"expected a parquet file in {source}, found {found}",
        "fetch the data set again: a copy may be incomplete, or a URL may lead to a web page",
    )


def _index_columns(parquet: pq.ParquetFile) -> list[str]:
    """The columns that pandas takes as index; a range of numbers is no column."""
    metadata = parquet.schema_arrow.pandas_metadata or {}
    return [name for name in metadata.get("index_columns", []) if isinstance(name, str)]


def _found(parquet: pq.ParquetFile, index: list[str]) -> str:
    if index:
        return f"the index {', '.join(index)}"
    return "a plain column `id`" if "id" in parquet.schema_arrow.names else "no ids"
