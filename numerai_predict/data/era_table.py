"""Past eras in several files as one table of rows, read in blocks of columns or of eras."""

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
    read_ids,
    read_into,
    read_texts,
    require_columns,
)

HIGHEST = 4  # of a feature's values; the lowest is 0


@dataclass(frozen=True)
class EraTable:
    """The rows of some files, one after the other, in the order of their eras.

    `eras` has the number of each row's era, int32 with shape (rows,). Nothing else is held.
    """

    paths: tuple[Path, ...]
    eras: NDArray[np.int32]

    @classmethod
    def of(cls, paths: Sequence[Path], columns: Sequence[str]) -> EraTable:
        """The history in these files, which have the columns.

        Raises:
            DatasetUnavailable: a file is missing or lacks a column, an era is no number, or eras
                do not grow from row to row.
        """
        numbers = []
        for path in paths:
            with open_parquet(path) as parquet:
                require_columns(parquet, path, columns)
                numbers.append(_numbers(read_texts(parquet, "era", path), path))
        eras = np.concatenate(numbers)
        if (np.diff(eras) < 0).any():
            raise DatasetUnavailable(
                f"expected eras in their order in {', '.join(map(str, paths))}, found earlier "
                "eras after later ones",
                "name the files in the order of their eras, each one once",
            )
        return cls(tuple(paths), eras)

    def column(self, name: str) -> NDArray[np.float32]:
        """One column of numbers with NaN in gaps, shape (rows,)."""
        values = np.empty((len(self.eras), 1), np.float32, order="F")
        everywhere = np.ones(len(self.eras), np.bool_)
        for parquet, path, mask, rows in self._parts(everywhere):
            read_into(parquet, [name], mask, values[rows], path)
        return values[:, 0]

    def ids(self, mask: NDArray[np.bool_]) -> list[str]:
        """The ids of the chosen rows."""
        chunks = [read_ids(parquet, inside) for parquet, _, inside, _ in self._parts(mask)]
        found: list[str] = pa.concat_arrays(chunks).to_pylist() if chunks else []
        return found

    def features(self, names: Sequence[str], mask: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Columns of the chosen rows, int8 in Fortran's order with shape (chosen, names).

        Raises:
            DatasetUnavailable: a column is no feature of the values 0 to 4.
        """
        block = np.empty((int(mask.sum()), len(names)), np.int8, order="F")
        for parquet, path, inside, rows in self._parts(mask):
            read_into(parquet, names, inside, block[rows], path)
        if block.size and (block.min() < 0 or block.max() > HIGHEST):
            _refuse(block, names)
        return block

    def _parts(
        self, mask: NDArray[np.bool_]
    ) -> Iterator[tuple[object, Path, NDArray[np.bool_], slice]]:
        """Each file with chosen rows: opened, its own mask, and where its rows go."""
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
    names, places = np.unique(eras, return_inverse=True)
    if strange := [str(name) for name in names if not str(name).isdecimal()]:
        raise DatasetUnavailable(
            f"expected eras with numbers in {path}, found {strange[0]!r}",
            "train on past eras, not on live data",
        )
    return names.astype(np.int32)[places]


def _refuse(block: NDArray[np.int8], names: Sequence[str]) -> None:
    wrong = np.flatnonzero((block.min(axis=0) < 0) | (block.max(axis=0) > HIGHEST))
    values = block[:, wrong[0]]
    raise DatasetUnavailable(
        f"expected features of the values 0 to {HIGHEST}, found {values.min()} to {values.max()} "
        f"in {names[wrong[0]]}",
        "name features alone; data of before v5 have others",
    )
