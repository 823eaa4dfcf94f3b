"""Look up rows of benchmark models and the meta model by id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data.columns import open_parquet

LABEL_COLUMNS = ("id", "era", "data_type")


class IdLookup:
    """A parquet file with an `id` column; at most one row group is in memory at a time.

    `columns` are the names of its floating point columns.

    Raises:
        DatasetUnavailable: the file has no ids or no floating point column.
    """

    def __init__(self, path: Path) -> None:
        with open_parquet(path):
            self._schema = pq.read_schema(path)
        self.path = path
        self.columns = [
            field.name
            for field in self._schema
            if field.name not in LABEL_COLUMNS and pa.types.is_floating(field.type)
        ]
        if "id" not in self._schema.names or not self.columns:
            raise DatasetUnavailable(
                f"expected ids and a column of numbers in {path}, found "
                f"{', '.join(self._schema.names[:5])}",
                "use the tournament's file as downloaded",
            )

    def rows(self, ids: Sequence[str]) -> pd.DataFrame:
        """The rows with these ids as `pandas.read_parquet` returns them, in the file's order.

        Unknown ids are ignored.
        """
        requested = pa.array(ids, pa.string())
        with pq.ParquetFile(self.path) as parquet:
            tables = [self._schema.empty_table()]
            for group in range(parquet.num_row_groups):
                group_ids = parquet.read_row_group(group, columns=["id"], use_threads=False)
                matches = pc.is_in(group_ids.column("id").cast(pa.string()), value_set=requested)
                if pc.any(matches).as_py():
                    table = parquet.read_row_group(group, use_threads=False)
                    tables.append(table.filter(matches).select(self._schema.names))
        frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return frame if frame.index.name == "id" else frame.set_index("id")
