"""Past eras in several files as one table, read in blocks of columns or eras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data.columns import (
    open_parquet,
    read_into,
    read_row_ids,
    read_texts,
    require_columns,
)

HIGHEST = 4  # the highest value of a feature; the lowest is 0


@dataclass(frozen=True)
class EraTable:
    """The rows of several files, one file after the other, in ascending order of eras.

    `eras` is the era number of each row, int32 with shape (rows,). Only they are in memory.
    """

    paths: tuple[Path, ...]
    eras: NDArray[np.int32]

    @classmethod
    def of(cls, paths: Sequence[Path], columns: Sequence[str]) -> EraTable:
        """Open these files, which must have the columns.

        Raises:
            DatasetUnavailable: a file or a column is missing, an era is not a number, or the eras
                are not in ascending order.
        """
        numbers = []
        for path in paths:
            with open_parquet(path) as parquet:
                require_columns(parquet, path, columns)
                numbers.append(_numbers(read_texts(parquet, "era", path), path))
        eras = np.concatenate(numbers)
        if (np.diff(eras) < 0).any():
            raise DatasetUnavailable(
                f"expected ascending eras in {', '.join(map(str, paths))}, found an earlier "
                "era after a later one",
                "name each file once, in ascending order of eras",
            )
        return cls(tuple(paths), eras)

    def column(self, name: str) -> NDArray[np.float32]:
        """A numeric column, float32 with NaN for missing values, shape (rows,)."""
        values = np.empty((len(self.eras), 1), np.float32, order="F")
        all_rows = np.ones(len(self.eras), np.bool_)
        for parquet, path, mask, rows in self._parts(all_rows):
            read_into(parquet, [name], mask, values[rows], path)
        return values[:, 0]

    def ids(self, mask: NDArray[np.bool_]) -> list[str]:
        """The ids of the rows of `mask`."""
        chunks = [read_row_ids(parquet, inside) for parquet, _, inside, _ in self._parts(mask)]
        ids: list[str] = pa.concat_arrays(chunks).to_pylist() if chunks else []
        return ids

    def features(self, names: Sequence[str], mask: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Features of the rows of `mask`, int8 in column-major order, shape (rows of mask, names).

        Raises:
            DatasetUnavailable: a column is not a feature with the values 0 to 4.
        """
        block = np.empty((int(mask.sum()), len(names)), np.int8, order="F")
        for parquet, path, inside, rows in self._parts(mask):
            read_into(parquet, names, inside, block[rows], path)
        if block.size and (block.min() < 0 or block.max() > HIGHEST):
            raise _invalid_feature(block, names)
        return block

    def _parts(
        self, mask: NDArray[np.bool_]
    ) -> Iterator[tuple[object, Path, NDArray[np.bool_], slice]]:
        """Each file with rows of the mask: opened, its part of the mask, its rows in the result."""
        start = first = 0
        for path in self.paths:
            with ExitStack() as stack:
                parquet = stack.enter_context(open_parquet(path))
                inside = mask[start : start + parquet.metadata.num_rows]
                start += len(inside)
                if count := int(inside.sum()):
                    yield parquet, path, inside, slice(first, first + count)
                first += count


def _numbers(eras: NDArray[np.str_], path: Path) -> NDArray[np.int32]:
    names, positions = np.unique(eras, return_inverse=True)
    if invalid := [str(name) for name in names if not str(name).isdecimal()]:
        raise DatasetUnavailable(
            f"expected eras with numbers in {path}, found {invalid[0]!r}",
            "train on past eras, not on live data",
        )
    return names.astype(np.int32)[positions]


def _invalid_feature(block: NDArray[np.int8], names: Sequence[str]) -> DatasetUnavailable:
    invalid = np.flatnonzero((block.min(axis=0) < 0) | (block.max(axis=0) > HIGHEST))
    values = block[:, invalid[0]]
    return DatasetUnavailable(
        f"expected features of the values 0 to {HIGHEST}, found {values.min()} to {values.max()} "
        f"in {names[invalid[0]]}",
        "name only features; data before v5 have other values",
    )
