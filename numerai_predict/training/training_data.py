"""What a training is made from: the files, verified; their eras, features and targets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data import feature_sets as feature_sets
from numerai_predict.data.columns import column_names
from numerai_predict.data.era_selection import Eras
from numerai_predict.data.era_table import History
from numerai_predict.data.feature_sets import FeatureSets
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.snapshot_manifest import NAME, read_snapshot_manifest
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.trainers.interface import TrainingRows


@dataclass(frozen=True)
class TrainingData:
    """The data of a training.

    `hashes` are by file name. `targets` are float32 with one value a row of the history, NaN where
    there is none. `eras` are those that are used, ascending: the main target is known in each.
    """

    folder: Path
    history: History
    hashes: dict[str, str]
    features: list[str]
    neutral: list[str]
    targets: dict[str, NDArray[np.float32]]
    eras: list[int]
    benchmark: str | None

    @property
    def main_target(self) -> str:
        """The one that scores are those of."""
        return next(iter(self.targets))

    def mask(self, eras: Sequence[int]) -> NDArray[np.bool_]:
        """True for each row of the eras."""
        return np.isin(self.history.eras, np.asarray(eras, np.int32))

    def rows(self, eras: Sequence[int], target: str) -> TrainingRows:
        """The rows of the eras that have the target."""
        mask = self.mask(eras) & ~np.isnan(self.targets[target])
        return TrainingRows(self.history, mask, self.features, self.targets[target][mask])

    def facts(self) -> dict[str, Any]:
        """What decides of data about what comes out."""
        return {"data": self.hashes, "features": _hash_names(self.features)}


def open_training_data(settings: TrainingConfig, folder: Path) -> TrainingData:
    """Find, verify and open the data.

    Raises:
        DatasetUnavailable: a file is missing, is not what its manifest tells, or lacks a
            feature, a target or an era that is asked for.
    """
    paths = [folder / f"{name.removesuffix('.parquet')}.parquet" for name in settings.data.files]
    sets = FeatureSets.read(folder / feature_sets.NAME)
    features = sets.choose(settings.features)
    neutral = sets.choose(settings.validation.fnc_features)
    hashes = {path.name: verified_hash(path) for path in paths}
    history = History.of(paths, list(dict.fromkeys([*features, *neutral, *settings.targets])))
    targets = {name: _target(history, name) for name in settings.targets}
    eras = _eras(history, settings.data.eras, targets)
    return TrainingData(
        folder, history, hashes, features, neutral, targets, eras, _benchmark(settings, paths)
    )


def verified_hash(path: Path) -> str:
    """The file's SHA-256, which is that of the snapshot's manifest, where there is one.

    Raises:
        DatasetUnavailable: it is another, or there is no such file.
    """
    if not path.is_file():
        raise DatasetUnavailable(
            f"expected {path}, found nothing there",
            f"get it with `numerai-predict data get {path.stem}`, or set data.directory",
        )
    found = sha256_of(path)
    for folder in (path.parent.parent, path.parent):
        entry = read_snapshot_manifest(folder).get(str(path.relative_to(folder)))
        if entry is not None and entry.sha256 != found:
            raise DatasetUnavailable(
                f"expected {path} as {folder / NAME} tells it ({entry.sha256[:12]}), found other "
                f"bytes ({found[:12]})",
                "get it again with `numerai-predict data get`, or take it out of the manifest if "
                "the change is yours",
            )
    return found


def benchmark_files(paths: Sequence[Path]) -> list[Path]:
    """The benchmark models of these files, as far as they are here."""
    beside = (path.with_name(f"{path.stem}_benchmark_models.parquet") for path in paths)
    return [path for path in beside if path.is_file()]


def _target(history: History, name: str) -> NDArray[np.float32]:
    values = history.column(name)
    if np.isnan(values).all():
        raise DatasetUnavailable(
            f"expected values of {name}, found NaN in all of {len(values):,} rows",
            "choose another target, or other files: live data have none",
        )
    if endless := int(np.isinf(values).sum()):
        raise DatasetUnavailable(
            f"expected finite values of {name}, found {endless:,} that are not",
            "mend the file, or use the tournament's own",
        )
    return values


def _eras(history: History, chosen: str, targets: dict[str, NDArray[np.float32]]) -> list[int]:
    main = next(iter(targets))
    present = [int(era) for era in np.unique(history.eras)]
    kept = {int(era) for era in Eras.of(chosen).choose([str(era) for era in present])}
    known = {int(era) for era in np.unique(history.eras[~np.isnan(targets[main])])}
    eras = [era for era in present if era in kept & known]
    if not eras:
        raise DatasetUnavailable(
            f"expected eras with {main} among {chosen}, found none", "choose others: `data.eras`"
        )
    inside = np.isin(history.eras, eras)
    for name, values in targets.items():
        if lost := int(np.isnan(values[inside]).sum()):
            log_step("data", f"{lost:,} of {int(inside.sum()):,} rows have no {name}: left out")
    if kept - known:
        log_step("data", f"{len(kept - known)} era(s) without any {main}: left out")
    return eras


def _benchmark(settings: TrainingConfig, paths: Sequence[Path]) -> str | None:
    """The benchmark model: the one asked for, or the first that the files have."""
    files = benchmark_files(paths)
    names = [n for path in files for n in column_names(path) if n not in ("id", "era", "data_type")]
    if settings.benchmark is not None and settings.benchmark not in names:
        raise DatasetUnavailable(
            f"expected the benchmark model {settings.benchmark}, found "
            f"{', '.join(dict.fromkeys(names)) or 'no file of benchmark models'}",
            "choose one of them, or get the file: `numerai-predict data get "
            "validation_benchmark_models`",
        )
    if settings.benchmark is None and settings.neutralize and not names:
        raise DatasetUnavailable(
            "expected a benchmark model to neutralise to, found no file of benchmark models",
            "get it with `numerai-predict data get validation_benchmark_models`",
        )
    return settings.benchmark or next(iter(names), None)


def _hash_names(names: Sequence[str]) -> dict[str, Any]:
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    return {"count": len(names), "sha256": digest}
