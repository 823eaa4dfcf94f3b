"""The validation data, read a batch of eras at a time, and an era of it as live data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data.columns import fill, ids, open_parquet, require_columns, texts
from numerai_predict.data.era_selection import Eras

# What live data say in these columns. A model sees past eras as it will see a round: no target,
# no number of an era by which it could look up what came of it.
LIVE_VALUES = {"era": "X", "data_type": "live"}


@dataclass(frozen=True)
class EraRows:
    """One era: `features` int8 with shape (rows, features), `target` float64 with NaN gaps."""

    era: str
    ids: pa.Array
    features: NDArray[np.int8]
    target: NDArray[np.float64]


class ValidationData:
    """The chosen eras of a validation file that have a target.

    Raises:
        DatasetUnavailable: it is no such file, lacks the target, or has it in none of the eras.
    """

    def __init__(self, path: Path, target: str, eras: Eras) -> None:
        self.path = path
        with open_parquet(path) as parquet:
            schema: pa.Schema = pq.read_schema(path)
            require_columns(parquet, path, [])
            _require_text_ids(schema, path)
            _require_target(parquet, path, target)
            self._row_eras = texts(parquet, "era", path)
            targets = np.empty((len(self._row_eras), 1), np.float64, order="F")
            fill(parquet, [target], np.ones(len(targets), bool), targets, path)
        self._schema = schema
        self._target = targets[:, 0]
        self.feature_names = [n for n in self._schema.names if n.startswith("feature_")]
        if not self.feature_names:
            raise DatasetUnavailable(
                f"expected columns named feature_... in {path}, found none",
                "use the tournament's own file as it was downloaded",
            )
        chosen = eras.choose(_eras_in_file_order(self._row_eras))
        known = set(np.unique(self._row_eras[~np.isnan(self._target)]).tolist())
        self.eras = [era for era in chosen if era in known]
        self.eras_without_target = len(chosen) - len(self.eras)
        if not self.eras:
            raise DatasetUnavailable(
                f"expected {target} in at least one of {len(chosen)} eras of {path}, found NaN in "
                "all of their rows",
                "choose earlier eras with --eras, or another --target",
            )

    def batches(self, most_bytes: int) -> Iterator[list[EraRows]]:
        """The eras in turn, as many at once as have features of that many bytes; at least one."""
        counts = dict(zip(*np.unique(self._row_eras, return_counts=True), strict=True))
        most_rows = most_bytes // len(self.feature_names)
        some: list[str] = []
        rows = 0
        for era in self.eras:
            if some and rows + int(counts[era]) > most_rows:
                yield self._read(some)
                some, rows = [], 0
            some.append(era)
            rows += int(counts[era])
        yield self._read(some)

    def _read(self, eras: Sequence[str]) -> list[EraRows]:
        mask = np.isin(self._row_eras, eras)
        features = np.empty((int(mask.sum()), len(self.feature_names)), np.int8, order="F")
        with open_parquet(self.path) as parquet:
            fill(parquet, self.feature_names, mask, features, self.path)
            every_id = ids(parquet, mask)
        row_eras, target = self._row_eras[mask], self._target[mask]
        found = []
        for era in eras:
            rows = np.flatnonzero(row_eras == era)
            first, last = int(rows[0]), int(rows[-1]) + 1
            together = last - first == len(rows)
            values = features[first:last] if together else features[rows]
            found.append(EraRows(era, every_id.take(pa.array(rows)), values, target[rows]))
        return found

    def write_as_live(self, rows: EraRows, path: Path) -> None:
        """Write the era as live data are: all columns of the file, the targets unknown."""
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
    kind = schema.field("id").type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DatasetUnavailable(
            f"expected texts as the ids of {path}, found {kind}",
            "use the tournament's own file as it was downloaded",
        )


def _require_target(parquet: pq.ParquetFile, path: Path, target: str) -> None:
    names = parquet.schema_arrow.names
    if target in names:
        return
    others = [name for name in names if name.startswith("target")]
    there = f"there are {', '.join(others[:10])}" if others else "it has no target at all"
    raise DatasetUnavailable(
        f"expected the target {target} in {path}, found no such column; {there}",
        "choose one with --target; live data have no targets that are known",
    )
