"""Reads the ids and the shape of live data: all that the supervisor needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.inspection.file_type import describe_file

_REMEDY = (
    "use the tournament's own file as it was downloaded (v5.2/live.parquet), or write yours "
    "with the ids as the index: frame.set_index('id').to_parquet(path)"
)

# A few kilobytes of parquet can declare any number of equal values; a round has about 10,000.
_MOST_ROWS = 10_000_000


@dataclass(frozen=True)
class Shape:
    """Rows, columns and column names of a data set; the index is not counted as a column."""

    rows: int
    columns: int
    names: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.rows:,} rows x {self.columns:,} columns"


def read_shape(path: Path, source: str) -> Shape:
    """The shape of a parquet file, from its metadata alone.

    Raises:
        DatasetUnavailable: it is not a parquet file.
    """
    with _open(path, source) as parquet:
        names = parquet.schema_arrow.names
        count = len(names) - len(_index_columns(parquet))
        return Shape(parquet.metadata.num_rows, count, frozenset(names))


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
        if parquet.metadata.num_rows > _MOST_ROWS:
            raise DatasetUnavailable(
                f"expected at most {_MOST_ROWS:,} live rows in {source}, "
                f"found {parquet.metadata.num_rows:,}",
                _REMEDY,
            )
        try:
            ids = parquet.read(["id"]).column("id").cast(pa.string()).to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, source, error) from error
    if not ids:
        raise DatasetUnavailable(f"expected live rows in {source}, found none", _REMEDY)
    if None in ids or len(set(ids)) < len(ids):
        raise DatasetUnavailable(
            f"expected every id of {source} once, found missing or repeated ones", _REMEDY
        )
    return ids  # type: ignore[no-any-return]


def is_readable(path: Path) -> bool:
    """Whether pandas can read a parquet file; reads it whole, without starting threads."""
    try:
        table = pq.read_table(path, use_threads=False, pre_buffer=False, memory_map=True)
        table.to_pandas(use_threads=False)
    except Exception:
        return False
    return True


def _open(path: Path, source: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, source, error) from error


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
        "fetch the data set again: a copy may have been cut short, and a URL may lead to a page",
    )


def _index_columns(parquet: pq.ParquetFile) -> list[str]:
    """The columns that pandas takes as index; a range of numbers is no column."""
    metadata = parquet.schema_arrow.pandas_metadata or {}
    return [name for name in metadata.get("index_columns", []) if isinstance(name, str)]


def _found(parquet: pq.ParquetFile, index: list[str]) -> str:
    if index:
        return f"the index {', '.join(index)}"
    return "a plain column `id`" if "id" in parquet.schema_arrow.names else "no ids"
