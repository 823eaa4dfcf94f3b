"""A synthetic data set in the format of v5.2, to try everything without an account.

It is the same on every machine for the same parameters, and has a weak signal that a model can
learn. Its targets overlap as the tournament's do, and the signal changes by regimes: see
`synthetic_returns`. Each era is generated separately, so that a data set of any size needs the
memory of one.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from numerai_predict.data.era_selection import era_name
from numerai_predict.data.sample_shape import (
    DEFAULT_SHAPE,
    FILES,
    SMALL_FEATURES,
    SampleShape,
)
from numerai_predict.data.synthetic_returns import (
    DAYS_PER_ERA,
    INFORMATIVE_FEATURES,
    Market,
    lasting_premium,
    own_return,
    returns,
)

TARGETS = ("target", "target_ender_20", "target_ender_60")
BENCHMARK_MODELS = ("v52_lgbm_ender20", "v52_lgbm_ender60")
BENCHMARK_MODELS_5_3 = ("v53_lgbm_ender20", "v53_lgbm_ender60")
LIVE_ERA = "X"
TARGET_DAYS = 20

_LONG_DAYS = 60
_FEATURE_VALUES = 5
_MEDIUM_SHARE = 780 / 2750
_FIRST_ROUND = 1_000_000  # greater than the number of any era of a sample
_FIRST_DAY = _FIRST_ROUND * DAYS_PER_ERA
_MODEL_SKILL = 0.5
# Upper edges of the five target values by rank: 5, 20, 50, 20 and 5 percent.
_TARGET_EDGES = (0.05, 0.25, 0.75, 0.95)


@dataclass(frozen=True)
class Era:
    """One era: `frame` as in train.parquet, benchmark models and meta model by id."""

    frame: pd.DataFrame
    benchmarks: pd.DataFrame
    meta_model: pd.DataFrame


def write_sample(directory: Path, shape: SampleShape = DEFAULT_SHAPE) -> None:
    """Write the sample's files into `directory`, which appears once they are complete.

    Parquet files have the index `id`; features are int8 in 0 to 4, targets
    float32 in {0, .25, .5, .75, 1} and NaN in live data; era and data_type are str.

    Raises:
        FileExistsError: there is something else than a sample at `directory`.
        OSError: it cannot be written.
    """
    part = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}.part")
    part.mkdir(parents=True)
    try:
        _write_files(part, shape)
        _replace_directory(part, directory)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def draw_round(shape: SampleShape, number: int, first_round: int | None = None) -> Era:
    """The live era of a round, with its targets, which are unknown while the round is open.

    Each number gives other rows. Rounds are one trading day apart: the targets of two rounds share
    the days that both contain. `first_round` is the round that begins an era after the last
    validation era, so that their targets overlap; `None` for rounds far from them. Ids are the
    index `id`; see `write_sample` for the columns.
    """
    kind = (LIVE_ERA, "live")
    first_day = _first_day(shape, number, first_round)
    return _draw_rows(shape, _FIRST_ROUND + number, first_day, kind, shape.live_rows)


def _first_day(shape: SampleShape, number: int, first_round: int | None) -> int:
    """The first day of a round's target, in the calendar of the eras."""
    if first_round is None:
        return _FIRST_DAY + number
    next_era = shape.train_eras + shape.validation_eras + 1
    return max(0, next_era * DAYS_PER_ERA + number - first_round)


def draw_target(
    shape: SampleShape, number: int, days: int, first_round: int | None = None
) -> pd.Series[float]:
    """The target of a round, by id, of the first `days` days alone; all 20 give the final one.

    It is what a score can be computed from while the round resolves. See `draw_round`.
    """
    rows = _draw_features(shape, _FIRST_ROUND + number, shape.live_rows)
    own = rows.random.normal(size=len(rows.ids))
    known = own_return(shape.seed, _FIRST_ROUND + number, own, days, TARGET_DAYS)
    first_day = _first_day(shape, number, first_round)
    window = range(first_day, first_day + days)
    market = Market(shape.seed, shape.signal)
    values = _binned(returns(market, _informative(rows.features), known, window))
    return pd.Series(values, rows.ids, name=TARGETS[0], dtype=float)


def write_live(directory: Path, era: Era) -> None:
    """Write live.parquet, without targets, and live_benchmark_models.parquet of a round.

    Raises:
        OSError: they cannot be written.
    """
    live = era.frame.copy()
    live[list(TARGETS)] = np.float32("nan")
    _write_eras(directory, "live", [Era(live, era.benchmarks, era.meta_model)])


def _replace_directory(part: Path, directory: Path) -> None:
    if directory.exists():
        others = {path.name for path in directory.iterdir()} - set(FILES)
        if others:
            raise FileExistsError(
                f"expected a sample or nothing at {directory}, found {', '.join(sorted(others))}"
            )
        shutil.rmtree(directory)
    part.rename(directory)


def _write_files(directory: Path, shape: SampleShape) -> None:
    (directory / "features.json").write_text(json.dumps(_features_json(shape), indent=2) + "\n")
    last_train = shape.train_eras
    last_validation = last_train + shape.validation_eras
    meta_model = []
    for name, numbers in (
        ("train", range(1, last_train + 1)),
        ("validation", range(last_train + 1, last_validation + 1)),
    ):
        eras = (_draw_era(shape, number, era_name(number), name, shape.rows) for number in numbers)
        meta_models = _write_eras(directory, name, eras)
        if name == "validation":
            meta_model = meta_models
    pd.concat(meta_model).to_parquet(directory / "meta_model.parquet")
    live = _draw_era(shape, 0, LIVE_ERA, "live", shape.live_rows)
    live.frame[list(TARGETS)] = np.float32("nan")
    _write_eras(directory, "live", [live])


def _features_json(shape: SampleShape) -> dict[str, object]:
    names = shape.feature_names
    medium = max(SMALL_FEATURES, round(shape.features * _MEDIUM_SHARE))
    sets = {"small": names[:SMALL_FEATURES], "medium": names[:medium], "all": names}
    if shape.quantum:
        sets["quantum"] = names[-shape.quantum :]
    return {"feature_sets": sets, "targets": list(TARGETS)}


def _write_eras(directory: Path, name: str, eras: Iterable[Era]) -> list[pd.DataFrame]:
    """Write the eras, one row group each; returns their meta models."""
    meta_models = []
    with (
        _Appender(directory / f"{name}.parquet") as frames,
        _Appender(directory / f"{name}_benchmark_models.parquet") as benchmarks,
    ):
        for era in eras:
            frames.append(era.frame)
            benchmarks.append(era.benchmarks)
            meta_models.append(era.meta_model)
    return meta_models


class _Appender:
    """A parquet file that is written one frame, one row group, at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> _Appender:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def append(self, frame: pd.DataFrame) -> None:
        """Add the frame's rows."""
        table = pa.Table.from_pandas(frame)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)


def _draw_era(shape: SampleShape, number: int, era: str, data_type: str, rows: int) -> Era:
    """The era of a number; its targets begin `DAYS_PER_ERA` days after those of the era before."""
    return _draw_rows(shape, number, number * DAYS_PER_ERA, (era, data_type), rows)


class _Rows(NamedTuple):
    """The rows of an era; what comes next of `random` are their own returns over 20 days."""

    random: np.random.Generator
    features: NDArray[np.int8]
    ids: pd.Index[str]


def _draw_features(shape: SampleShape, number: int, rows: int) -> _Rows:
    random = np.random.default_rng([shape.seed, number])
    features = random.integers(0, _FEATURE_VALUES, (rows, shape.features), dtype=np.int8)
    ids = pd.Index([f"n{value:015x}" for value in random.integers(0, 2**60, rows)], name="id")
    return _Rows(random, features, ids)


def _draw_rows(
    shape: SampleShape, number: int, first_day: int, kind: tuple[str, str], rows: int
) -> Era:
    random, features, ids = _draw_features(shape, number, rows)
    informative = _informative(features)
    known = np.matmul(informative, lasting_premium(shape.seed))
    kinds = pd.DataFrame({"era": kind[0], "data_type": kind[1]}, index=ids)
    targets = pd.DataFrame(dict(_targets(shape, random, informative, first_day)), index=ids)
    columns = pd.DataFrame(features, index=ids, columns=shape.feature_names)
    names = BENCHMARK_MODELS_5_3 if shape.quantum else BENCHMARK_MODELS
    models = [_blend(random, known, _MODEL_SKILL) for _ in range(len(names) + 1)]
    ranked = {name: _ranked(model) for name, model in zip(names, models, strict=False)}
    return Era(
        frame=pd.concat([kinds, columns, targets], axis=1),
        benchmarks=pd.DataFrame(ranked, index=ids),
        # The benchmark models and one more have the same stake in it.
        meta_model=kinds.assign(numerai_meta_model=_ranked(np.mean(models, axis=0))),
    )


def _informative(features: NDArray[np.int8]) -> NDArray[np.float64]:
    """The informative features, each with mean 0 and variance 1."""
    spread = np.sqrt((_FEATURE_VALUES**2 - 1) / 12)  # of a discrete uniform distribution
    centred = features[:, :INFORMATIVE_FEATURES] - (_FEATURE_VALUES - 1) / 2
    return np.asarray(centred / spread, dtype=np.float64)


def _targets(
    shape: SampleShape,
    random: np.random.Generator,
    informative: NDArray[np.float64],
    first_day: int,
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The targets by name. The first 20 of the 60 days are those of the shorter targets."""
    own, own_rest = random.normal(size=(2, len(informative)))
    share = TARGET_DAYS / _LONG_DAYS
    own_long = np.sqrt(share) * own + np.sqrt(1 - share) * own_rest
    market = Market(shape.seed, shape.signal)
    short, long = (range(first_day, first_day + days) for days in (TARGET_DAYS, _LONG_DAYS))
    target = _binned(returns(market, informative, own, short))
    yield TARGETS[0], target
    yield TARGETS[1], target
    yield TARGETS[2], _binned(returns(market, informative, own_long, long))


def _blend(
    random: np.random.Generator, signal: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """The signal plus noise; their correlation with the signal is `share`."""
    noise = random.normal(size=len(signal))
    blended: NDArray[np.float64] = share * signal + np.sqrt(1 - share**2) * noise
    return blended


def _ranked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks of the values, evenly spaced within 0 and 1."""
    return np.divide(values.argsort().argsort() + 0.5, len(values))


def _binned(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.divide(np.searchsorted(_TARGET_EDGES, _ranked(values)), 4, dtype=np.float32)
