"""Validation data: read in batches of eras, and written era by era in the form of live data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data.columns import (
    open_parquet,
    read_into,
    read_row_ids,
    read_texts,
    require_columns,
)
from numerai_predict.data.era_selection import Eras

# Values of these columns in live data. A model must see past eras as it sees a round: without
# targets, and without an era number that identifies the era.
LIVE_VALUES = {"era": "X", "data_type": "live"}


@dataclass(frozen=True)
class EraRows:
    """One era: `features` int8 with shape (rows, features), `target` float64, NaN if unknown."""

    era: str
    ids: pa.Array
    features: NDArray[np.int8]
    target: NDArray[np.float64]


class ValidationData:
    """The selected eras of a validation file that have a target.

    Raises:
        DatasetUnavailable: the file is not a validation file, lacks the target, or has no value
            of it in the selected eras.
    """

    def __init__(self, path: Path, target: str, eras: Eras) -> None:
        self.path = path
        with open_parquet(path) as parquet:
            schema: pa.Schema = pq.read_schema(path)
            require_columns(parquet, path, [])
            _require_text_ids(schema, path)
            _require_target(parquet, path, target)
            self._row_eras = read_texts(parquet, "era", path)
            targets = np.empty((len(self._row_eras), 1), np.float64, order="F")
            read_into(parquet, [target], np.ones(len(targets), bool), targets, path)
        self._schema = schema
        self._target = targets[:, 0]
        self.feature_names = [n for n in self._schema.names if n.startswith("feature_")]
        if not self.feature_names:
            raise DatasetUnavailable(
                f"expected columns named feature_... in {path}, found none",
                "use the tournament's file as downloaded",
            )
        chosen = eras.choose(_eras_in_file_order(self._row_eras))
        eras_with_target = set(np.unique(self._row_eras[~np.isnan(self._target)]).tolist())
        self.eras = [era for era in chosen if era in eras_with_target]
        self.eras_without_target = len(chosen) - len(self.eras)
        if not self.eras:
            raise DatasetUnavailable(
                f"expected {target} in at least one of {len(chosen)} eras of {path}, found NaN in "
                "all of their rows",
                "choose earlier eras with --eras, or another --target",
            )

    def batches(self, max_bytes: int) -> Iterator[list[EraRows]]:
        """Yield lists of at least one era whose features take at most `max_bytes`."""
        counts = dict(zip(*np.unique(self._row_eras, return_counts=True), strict=True))
        max_rows = max_bytes // len(self.feature_names)
        batch: list[str] = []
        rows = 0
        for era in self.eras:
            if batch and rows + int(counts[era]) > max_rows:
                yield self._read(batch)
                batch, rows = [], 0
            batch.append(era)
            rows += int(counts[era])
        yield self._read(batch)

    def _read(self, eras: Sequence[str]) -> list[EraRows]:
        mask = np.isin(self._row_eras, eras)
        features = np.empty((int(mask.sum()), len(self.feature_names)), np.int8, order="F")
        with open_parquet(self.path) as parquet:
            read_into(parquet, self.feature_names, mask, features, self.path)
            all_ids = read_row_ids(parquet, mask)
        row_eras, target = self._row_eras[mask], self._target[mask]
        batch = []
        for era in eras:
            rows = np.flatnonzero(row_eras == era)
            first, last = int(rows[0]), int(rows[-1]) + 1
            contiguous = last - first == len(rows)
            values = features[first:last] if contiguous else features[rows]
            batch.append(EraRows(era, all_ids.take(pa.array(rows)), values, target[rows]))
        return batch

    def write_as_live(self, rows: EraRows, path: Path) -> None:
        """Write the era in the form of live data: all columns of the file, the targets null."""
        position = {name: number for number, name in enumerate(self.feature_names)}
        count = len(rows.ids)
        columns = []
        for field in self._schema:
            if field.name == "id":
                values = rows.ids.cast(field.type)
            elif field.name in position:
                values = pa.array(rows.features[:, position[field.name]], field.type)
            elif field.name in LIVE_VALUES:
                values = pa.array([LIVE_VALUES[field.name]] * count, field.type)
            else:
                values = pa.nulls(count, field.type)
            columns.append(values)
        table = pa.Table.from_arrays(columns, schema=self._schema)
        pq.write_table(table, path, compression="none", write_statistics=False)


def _eras_in_file_order(row_eras: NDArray[np.str_]) -> list[str]:
    present, first_rows = np.unique(row_eras, return_index=True)
    return [str(era) for era in present[np.argsort(first_rows)]]


def _require_text_ids(schema: pa.Schema, path: Path) -> None:
    id_type = schema.field("id").type
    if not (pa.types.is_string(id_type) or pa.types.is_large_string(id_type)):
        raise DatasetUnavailable(
            f"expected strings as the ids of {path}, found {id_type}",
            "use the tournament's file as downloaded",
        )


def _require_target(parquet: pq.ParquetFile, path: Path, target: str) -> None:
    names = parquet.schema_arrow.names
    if target in names:
        return
    targets = [name for name in names if name.startswith("target")]
    available = f"available: {', '.join(targets[:10])}" if targets else "it has no target at all"
    raise DatasetUnavailable(
        f"expected the target {target} in {path}, found no such column; {available}",
        "choose one with --target; the targets of live data are unknown",
    )
