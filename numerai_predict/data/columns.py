"""Columns of a parquet file, read in small batches: nothing is held twice."""

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
_DECODED_BYTES = 8  # of one value on its way, in the format's integers and in ours


def column_names(path: Path) -> list[str]:
    """The names of all columns of a parquet file.

    Raises:
        DatasetUnavailable: it is none.
    """
    with open_parquet(path) as parquet:
        return list(map(str, parquet.schema_arrow.names))


def open_parquet(path: Path) -> pq.ParquetFile:
    """The file, of which nothing but its metadata is read.

    Raises:
        DatasetUnavailable: it is no parquet file.
    """
    try:
        # A file of the tournament is one row group of many columns: buffer no more than is read.
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
    """Go on only if the file has the columns, besides `id` and `era`.

    Raises:
        DatasetUnavailable: it has not.
    """
    present = set(parquet.schema_arrow.names)
    missing = [name for name in ["id", "era", *names] if name not in present]
    if missing:
        some = ", ".join(missing[:5])
        raise DatasetUnavailable(
            f"expected {len(missing)} more column(s) in {path}, such as {some}",
            "choose features and targets that this version of the data has",
        )


def read_texts(parquet: pq.ParquetFile, name: str, path: Path) -> NDArray[np.str_]:
    """A short text column that is read as a dictionary; one text a row."""
    texts = []
    for chunk in _chunks(parquet, name):
        if chunk.null_count:
            raise DatasetUnavailable(
                f"expected {name} in every row of {path}, found {chunk.null_count} without",
                "use the tournament's own file",
            )
        if not pa.types.is_dictionary(chunk.type):
            texts.append(np.array(list(map(str, chunk.to_pylist())), dtype=np.str_))
            continue
        words = np.array(list(map(str, chunk.dictionary.to_pylist())), dtype=np.str_)
        texts.append(words[_buffer(chunk.indices)])
    return np.concatenate(texts) if texts else np.array([], dtype=np.str_)


def read_ids(parquet: pq.ParquetFile, mask: NDArray[np.bool_]) -> pa.Array:
    """The chosen rows' ids; where rows of a chunk are left out, pyarrow imports pandas for it."""
    kept, start = [], 0
    for chunk in _chunks(parquet, "id"):
        inside = mask[start : start + len(chunk)]
        start += len(chunk)
        if inside.all() and pa.types.is_string(chunk.type):
            kept.append(chunk)
        elif inside.any():
            pairs = zip(chunk.to_pylist(), inside.tolist(), strict=True)
            kept.append(pa.array([text for text, keep in pairs if keep], pa.string()))
    return pa.concat_arrays(kept or [pa.array([], pa.string())])


def _chunks(parquet: pq.ParquetFile, name: str) -> Iterator[pa.Array]:
    """A column, group by group: all groups at once would take memory for each column."""
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
    """Put the columns' chosen rows into the target, batch by batch."""
    positions = {name: position for position, name in enumerate(names)}
    for group, start, stop, first in _groups(parquet, mask):
        inside = mask[start:stop]
        whole = bool(inside.all())
        for some in _batches(names, stop - start):
            table = parquet.read_row_group(group, columns=list(some), use_threads=False)
            for name in some:
                values = _numbers(table.column(name), target.dtype, name, path)
                chosen = values if whole else values[inside]
                target[first : first + len(chosen), positions[name]] = chosen
            del table
            pa.default_memory_pool().release_unused()


def _groups(
    parquet: pq.ParquetFile, mask: NDArray[np.bool_]
) -> Iterator[tuple[int, int, int, int]]:
    """Row groups with chosen rows: number, first and last row, and the first row of the view."""
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
    """The column's values; int8 is kept as it is, and nothing else is taken for it.

    Raises:
        DatasetUnavailable: they are of another kind, or no numbers at all.
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
    """A chunk of numbers without gaps, not copied. pyarrow's own way imports pandas: 45 MB."""
    dtype = np.dtype(chunk.type.to_pandas_dtype())
    values: NDArray[Any] = np.frombuffer(chunk.buffers()[1], dtype)
    return values[chunk.offset : chunk.offset + len(chunk)]


def _with_gaps(chunk: pa.Array) -> NDArray[Any]:
    """The same with NaN in the gaps, as floating point numbers."""
    values = _buffer(chunk).astype(np.float32)
    bits = np.frombuffer(chunk.buffers()[0], np.uint8)
    there = np.unpackbits(bits, bitorder="little")[chunk.offset : chunk.offset + len(chunk)]
    values[there == 0] = np.nan
    return values
