"""Columns of a parquet file, read in small batches, so that no column is in memory twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from numerai_predict.contract.errors import DatasetUnavailable

_BATCH_BYTES = 2 * 1024 * 1024
_DECODED_BYTES = 8  # of one value while it is decoded: as int32, and as its own type


def column_names(path: Path) -> list[str]:
    """The names of all columns of a parquet file.

    Raises:
        DatasetUnavailable: it is not a parquet file.
    """
    with open_parquet(path) as parquet:
        return list(map(str, parquet.schema_arrow.names))


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a parquet file; only its metadata are read.

    Raises:
        DatasetUnavailable: it is not a parquet file.
    """
    try:
        # The tournament's files have one row group of many columns: buffer only what is read.
        small = {"pre_buffer": False, "buffer_size": 64 * 1024}
        try:
            return pq.ParquetFile(path, read_dictionary=["era"], **small)
        except KeyError:  # benchmark models have no eras
            return pq.ParquetFile(path, **small)
    except (pa.ArrowException, OSError) as error:
        found = (str(error).splitlines() or [type(error).__name__])[0]
        raise DatasetUnavailable(
            f"expected a parquet file at {path}, found: {found}",
            "get it with `numerai-predict data get`; --refetch fetches it again",
        ) from error


def require_columns(parquet: pq.ParquetFile, path: Path, names: Sequence[str]) -> None:
    """Require that the file has the columns, and `id` and `era`.

    Raises:
        DatasetUnavailable: columns are missing.
    """
    present = set(parquet.schema_arrow.names)
    missing = [name for name in ["id", "era", *names] if name not in present]
    if missing:
        examples = ", ".join(missing[:5])
        raise DatasetUnavailable(
            f"expected {len(missing)} more column(s) in {path}, such as {examples}",
            "choose features and targets that this version of the data has",
        )


def read_texts(parquet: pq.ParquetFile, name: str, path: Path) -> NDArray[np.str_]:
    """A text column with few distinct values, one string per row, shape (rows,)."""
    parts = []
    for chunk in _chunks(parquet, name):
        if chunk.null_count:
            raise DatasetUnavailable(
                f"expected {name} in every row of {path}, found {chunk.null_count} without",
                "use the tournament's own file",
            )
        if not pa.types.is_dictionary(chunk.type):
            parts.append(np.array(list(map(str, chunk.to_pylist())), dtype=np.str_))
            continue
        values = np.array(list(map(str, chunk.dictionary.to_pylist())), dtype=np.str_)
        parts.append(values[_buffer(chunk.indices)])
    return np.concatenate(parts) if parts else np.array([], dtype=np.str_)


def read_row_ids(parquet: pq.ParquetFile, mask: NDArray[np.bool_]) -> pa.Array:
    """The ids of the rows of `mask`, without pyarrow's filter, which imports pandas."""
    parts, start = [], 0
    for chunk in _chunks(parquet, "id"):
        inside = mask[start : start + len(chunk)]
        start += len(chunk)
        if inside.all() and pa.types.is_string(chunk.type):
            parts.append(chunk)
        elif inside.any():
            pairs = zip(chunk.to_pylist(), inside.tolist(), strict=True)
            parts.append(pa.array([text for text, keep in pairs if keep], pa.string()))
    return pa.concat_arrays(parts or [pa.array([], pa.string())])


def _chunks(parquet: pq.ParquetFile, name: str) -> Iterator[pa.Array]:
    """The chunks of a column, one row group after another, to bound the memory."""
    for group in range(parquet.num_row_groups):
        table = parquet.read_row_group(group, columns=[name], use_threads=False)
        yield from table.column(name).chunks


def read_into(
    parquet: pq.ParquetFile,
    names: Sequence[str],
    mask: NDArray[np.bool_],
    target: NDArray[Any],
    path: Path,
) -> None:
    """Read the rows of `mask` of the columns into `target`, batch by batch.

    `target` has the shape (rows of the mask, names).
    """
    positions = {name: position for position, name in enumerate(names)}
    for group, start, stop, first in _groups(parquet, mask):
        inside = mask[start:stop]
        whole = bool(inside.all())
        for batch in _batches(names, stop - start):
            table = parquet.read_row_group(group, columns=list(batch), use_threads=False)
            for name in batch:
                values = _numbers(table.column(name), target.dtype, name, path)
                chosen = values if whole else values[inside]
                target[first : first + len(chosen), positions[name]] = chosen
            del table
            pa.default_memory_pool().release_unused()


def _groups(
    parquet: pq.ParquetFile, mask: NDArray[np.bool_]
) -> Iterator[tuple[int, int, int, int]]:
    """The row groups with rows of the mask.

    Each is its number, its first and last row in the file, and its first row in the target.
    """
    start = first = 0
    for group in range(parquet.num_row_groups):
        stop = start + parquet.metadata.row_group(group).num_rows
        count = int(mask[start:stop].sum())
        if count:
            yield group, start, stop, first
        start, first = stop, first + count


def _batches(names: Sequence[str], rows: int) -> Iterator[Sequence[str]]:
    size = max(1, _BATCH_BYTES // (_DECODED_BYTES * max(rows, 1)))
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _numbers(column: pa.ChunkedArray, dtype: np.dtype[Any], name: str, path: Path) -> NDArray[Any]:
    """The values of a numeric column; a target of int8 accepts only int8 without gaps.

    Raises:
        DatasetUnavailable: the column has another type.
    """
    if dtype == np.int8 and (not pa.types.is_int8(column.type) or column.null_count):
        raise DatasetUnavailable(
            f"expected int8 without gaps in the feature {name} of {path}, "
            f"found {column.type} with {column.null_count} gaps",
            "use the tournament's own file; features are named feature_...",
        )
    if not pa.types.is_integer(column.type) and not pa.types.is_floating(column.type):
        raise DatasetUnavailable(
            f"expected numbers in the column {name} of {path}, found {column.type}",
            "name another column, such as a target",
        )
    parts = [_with_gaps(chunk) if chunk.null_count else _buffer(chunk) for chunk in column.chunks]
    return np.concatenate(parts).astype(dtype, copy=False) if len(parts) != 1 else parts[0]


def _buffer(chunk: pa.Array) -> NDArray[Any]:
    """A chunk of numbers without gaps, not copied; pyarrow's own conversion imports pandas."""
    dtype = np.dtype(chunk.type.to_pandas_dtype())
    values: NDArray[Any] = np.frombuffer(chunk.buffers()[1], dtype)
    return values[chunk.offset : chunk.offset + len(chunk)]


def _with_gaps(chunk: pa.Array) -> NDArray[Any]:
    """A chunk of numbers as float32, with NaN in its gaps."""
    values = _buffer(chunk).astype(np.float32)
    bits = np.frombuffer(chunk.buffers()[0], np.uint8)
    valid = np.unpackbits(bits, bitorder="little")[chunk.offset : chunk.offset + len(chunk)]
    values[valid == 0] = np.nan
    return values
