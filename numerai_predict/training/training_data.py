"""The data of a training: verified files, their eras, features and targets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerai_predict.contract.dataset_name import data_version_of
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data import feature_sets as feature_sets
from numerai_predict.data.columns import column_names
from numerai_predict.data.era_marks import era_mark
from numerai_predict.data.era_selection import Eras
from numerai_predict.data.era_table import EraTable
from numerai_predict.data.feature_sets import FeatureSets
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.holdout_looks import data_set_names
from numerai_predict.storage.snapshot_manifest import NAME, read_snapshot_manifest
from numerai_predict.storage.snapshot_server import server_of_files
from numerai_predict.training.blend_inputs import blend_groups
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.trainers.interface import TrainingRows


@dataclass(frozen=True)
class TrainingData:
    """The data of a training.

    `hashes` has the SHA-256 by file name. `features` are the model's features, `neutral` those
    that FNC neutralizes to. `targets` are float32 by name, shape (rows of the history,), NaN if
    unknown. `eras` are the eras to use, ascending; each has values of the main target.
    `groups` are features that the section `blend` names, by what it calls them.
    `benchmark` is the name of the benchmark model. `server` is the tournament's server that the
    files came from, `None` for files that no snapshot lists.
    """

    directory: Path
    history: EraTable
    hashes: dict[str, str]
    features: list[str]
    neutral: list[str]
    targets: dict[str, NDArray[np.float32]]
    eras: list[int]
    benchmark: str | None
    server: str | None = None
    groups: dict[str, list[str]] = field(default_factory=dict)

    @property
    def main_target(self) -> str:
        """The target that predictions are scored on."""
        return next(iter(self.targets))

    @property
    def version(self) -> str | None:
        """The data version that the directory is of, such as v5.2; `None` if it is unknown."""
        return data_version_of(str(self.directory.absolute() / feature_sets.NAME))

    @property
    def names(self) -> list[str]:
        """What identifies the data set in the record of looks at holdouts."""
        return data_set_names(self.server, self.version, self.hashes.values())

    def mask(self, eras: Sequence[int]) -> NDArray[np.bool_]:
        """A mask of the eras' rows, shape (rows of the history,)."""
        return np.isin(self.history.eras, np.asarray(eras, np.int32))

    def marks(self, eras: Sequence[int]) -> dict[str, str]:
        """The marks of the rows of each era and of its main targets; see `data.era_marks`."""
        mask = self.mask(eras)
        ids, row_eras = np.asarray(self.history.ids(mask), dtype=object), self.history.eras[mask]
        targets = self.targets[self.main_target][mask]
        return dict(
            era_mark(ids[row_eras == era].tolist(), targets[row_eras == era])
            for era in np.unique(row_eras)
        )

    def rows(self, eras: Sequence[int], target: str) -> TrainingRows:
        """The rows of the eras that have a value of the target."""
        mask = self.mask(eras) & ~np.isnan(self.targets[target])
        return TrainingRows(self.history, mask, self.features, self.targets[target][mask])

    def facts(self) -> dict[str, Any]:
        """What determines a result: a part of the key of its checkpoint."""
        return {"data": self.hashes, "features": _hash_names(self.features)}


def open_training_data(config: TrainingConfig, directory: Path) -> TrainingData:
    """Find, verify and open the data files in a directory.

    Raises:
        DatasetUnavailable: a file is missing, differs from its manifest, or lacks a
            configured feature, target or era.
    """
    paths = [directory / f"{name.removesuffix('.parquet')}.parquet" for name in config.data.files]
    sets = FeatureSets.read(directory / feature_sets.NAME)
    features = sets.choose(config.features)
    neutral = sets.choose(config.validation.fnc_features)
    hashes = {path.name: verified_hash(path) for path in paths}
    groups = blend_groups(config.blend, sets, set(column_names(paths[0])))
    others = [name for names in groups.values() for name in names]
    columns = dict.fromkeys([*features, *neutral, *others, *config.targets])
    history = EraTable.of(paths, list(columns))
    targets = {name: _read_target(history, name) for name in config.targets}
    eras = _choose_eras(history, config.data.eras, targets)
    return TrainingData(
        directory,
        history,
        hashes,
        features,
        neutral,
        targets,
        eras,
        _choose_benchmark(config, paths),
        _find_server(directory, [*paths, *benchmark_files(paths)]),
        groups,
    )


def _find_server(directory: Path, paths: Sequence[Path]) -> str | None:
    """The tournament's server that the files came from, which is logged.

    Raises:
        DatasetUnavailable: they came from several.
    """
    server = server_of_files(directory, paths)
    known = f"of the server {server}" if server else "which no server is known of"
    log_step("data", f"{directory}, {known}")
    return server


def verified_hash(path: Path) -> str:
    """The file's SHA-256, verified against the snapshot's manifest if there is one.

    Raises:
        DatasetUnavailable: the file is missing, or its hash differs from the manifest.
    """
    if not path.is_file():
        raise DatasetUnavailable(
            f"expected {path}, found nothing there",
            f"get it with `numerai-predict data get {path.stem}`, or set data.directory",
        )
    found = sha256_of(path)
    for directory in (path.parent.parent, path.parent):
        entry = read_snapshot_manifest(directory).get(str(path.relative_to(directory)))
        if entry is not None and entry.sha256 != found:
            raise DatasetUnavailable(
                f"expected {path} with the hash in {directory / NAME} ({entry.sha256[:12]}), found "
                f"other bytes ({found[:12]})",
                "get it again with `numerai-predict data get`, or remove it from the manifest if "
                "you changed it",
            )
    return found


def benchmark_files(paths: Sequence[Path]) -> list[Path]:
    """The existing files of benchmark models in the directories of these files."""
    return [path for path in map(benchmark_file_of, paths) if path.is_file()]


def benchmark_file_of(path: Path) -> Path:
    """The file of benchmark models that belongs to a file of rows, beside it."""
    return path.with_name(f"{path.stem}_benchmark_models.parquet")


def _read_target(history: EraTable, name: str) -> NDArray[np.float32]:
    values = history.column(name)
    if np.isnan(values).all():
        raise DatasetUnavailable(
            f"expected values of {name}, found NaN in all of {len(values):,} rows",
            "choose another target, or other files: live data have no targets",
        )
    if infinite := int(np.isinf(values).sum()):
        raise DatasetUnavailable(
            f"expected finite values of {name}, found {infinite:,} that are not finite",
            "fix the file, or use the tournament's file",
        )
    return values


def _choose_eras(
    history: EraTable, selection: str, targets: dict[str, NDArray[np.float32]]
) -> list[int]:
    main = next(iter(targets))
    present = [int(era) for era in np.unique(history.eras)]
    selected = {int(era) for era in Eras.of(selection).choose([str(era) for era in present])}
    known = {int(era) for era in np.unique(history.eras[~np.isnan(targets[main])])}
    eras = [era for era in present if era in selected & known]
    if not eras:
        raise DatasetUnavailable(
            f"expected eras with {main} among {selection}, found none",
            "choose other eras: `data.eras`",
        )
    mask = np.isin(history.eras, eras)
    for name, values in targets.items():
        if missing := int(np.isnan(values[mask]).sum()):
            log_step("data", f"{missing:,} of {int(mask.sum()):,} rows have no {name}: left out")
    if selected - known:
        log_step("data", f"{len(selected - known)} era(s) without any {main}: left out")
    return eras


def _choose_benchmark(config: TrainingConfig, paths: Sequence[Path]) -> str | None:
    """The benchmark model: the configured one, or the first in the files."""
    files = benchmark_files(paths)
    names = [n for path in files for n in column_names(path) if n not in ("id", "era", "data_type")]
    if config.benchmark is not None and config.benchmark not in names:
        raise DatasetUnavailable(
            f"expected the benchmark model {config.benchmark}, found "
            f"{', '.join(dict.fromkeys(names)) or 'no file of benchmark models'}",
            "choose one of them, or get the file with `numerai-predict data get "
            "validation_benchmark_models`",
        )
    if config.benchmark is None and config.neutralize and not names:
        raise DatasetUnavailable(
            "expected a benchmark model to neutralize to, found no file of benchmark models",
            "get it with `numerai-predict data get validation_benchmark_models`",
        )
    return config.benchmark or next(iter(names), None)


def _hash_names(names: Sequence[str]) -> dict[str, Any]:
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    return {"count": len(names), "sha256": digest}
