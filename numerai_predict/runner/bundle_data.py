"""Compares the data of a run with those that a bundle's model was trained on, by its manifest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from numerai_predict.contract.dataset_name import data_version_of
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.server_name import same_server
from numerai_predict.inspection.bundle_manifest import BundleManifest
from numerai_predict.runner.bundle_check import TRAIN_AGAIN, examples
from numerai_predict.runner.run_log import log_step


@dataclass(frozen=True)
class ModelInput:
    """The data that a model is to predict.

    `source` is their name, path or URL, `columns` are the names of their columns, empty for
    unknown ones, and `server` is the tournament's server that they came from, `None` for unknown.
    `allow_mismatch` makes a warning of data that differ from those the model was trained on.
    """

    source: str
    columns: Collection[str] = ()
    server: str | None = None
    allow_mismatch: bool = False


NO_INPUT = ModelInput("")


def check_data(manifest: BundleManifest | None, data: ModelInput) -> list[str]:
    """Warnings about data of another kind than the model was trained on; logged.

    Raises:
        DatasetUnavailable: there is such a difference, and it is not allowed.
    """
    found = _differences(manifest, data) if manifest is not None else []
    if not found or manifest is None:
        return []
    trained = f"version {manifest.data_version}" if manifest.data_version else "its training"
    message = f"expected data as the bundle {manifest.path.parent} was trained on, found "
    message += "; ".join(found)
    if not data.allow_mismatch:
        raise DatasetUnavailable(
            message,
            f"use the data of {trained}, {TRAIN_AGAIN} on these data, or run it anyway with "
            "--allow-version-mismatch",
        )
    warning = f"allowed by --allow-version-mismatch: {message}"
    log_step("warning", warning)
    return [warning]


def _differences(manifest: BundleManifest, data: ModelInput) -> list[str]:
    found = []
    version = data_version_of(data.source)
    if manifest.data_version and version and version != manifest.data_version:
        found.append(f"version {version} in place of {manifest.data_version}")
    if manifest.server and data.server and not same_server(data.server, manifest.server):
        found.append(f"data of {data.server} in place of {one_line(manifest.server)}")
    missing = [name for name in manifest.features if name not in data.columns]
    if data.columns and missing:
        found.append(
            f"{len(missing):,} of {len(manifest.features):,} features missing, such as "
            f"{examples(missing)}"
        )
    return found
