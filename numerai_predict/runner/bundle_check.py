"""Compares a bundle with its manifest: the pickle, its Python, and the data it was trained on.

A pickle without a manifest is no bundle, and nothing is compared.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.dataset_name import data_version_of
from numerai_predict.contract.errors import DatasetUnavailable, ModelUnavailable, PythonMismatch
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.inspection.bundle_manifest import (
    BundleManifest,
    InvalidBundleManifest,
    read_bundle_manifest,
)
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.snapshot_manifest import same_server

_MAX_NAMED = 3
_TRAIN_AGAIN = "train again (`numerai-predict train`)"


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


def find_manifest(model: str, sha256: str) -> BundleManifest | None:
    """The manifest of a model by its source and its hash; `None` if it is no file of a bundle.

    Where the source is a symbolic link, the manifest may be beside the link or beside its target.

    Raises:
        ModelUnavailable: the manifest cannot be read.
    """
    if "://" in model:
        return None
    named = Path(model)
    try:
        for pickle in dict.fromkeys((named.absolute(), named.resolve())):
            if manifest := read_bundle_manifest(pickle, sha256):
                return manifest
    except InvalidBundleManifest as error:
        raise ModelUnavailable(
            f"expected the manifest of a bundle beside {named}, found: {error}",
            f"{_TRAIN_AGAIN}, or move manifest.json away to use the pickle without its checks",
        ) from None
    return None


def check_pickle(model: str, sha256: str) -> BundleManifest | None:
    """The manifest of a model, which must have the pickle's hash; `None` if it is no bundle.

    Raises:
        ModelUnavailable: the pickle is another than the manifest's, or the manifest cannot be read.
    """
    manifest = find_manifest(model, sha256)
    if manifest is not None and manifest.sha256 != sha256:
        raise ModelUnavailable(
            f"expected the pickle of its manifest {manifest.path} ({manifest.sha256[:12]}), found "
            f"other bytes in {model} ({sha256[:12]})",
            f"put the bundle's own pickle back, or {_TRAIN_AGAIN}; a pickle of your own needs "
            "another name or directory",
        )
    return manifest


def check_python(manifest: BundleManifest | None, python: str) -> None:
    """Require the Python that the bundle is for; `python` is the one that is to run it.

    Raises:
        PythonMismatch: it is another one.
    """
    if manifest is None or manifest.python in (None, python):
        return
    raise PythonMismatch(
        f"expected Python {manifest.python}, for which {manifest.path} states that the bundle is, "
        f"found {python}",
        f"run it in the image of Python {manifest.python}, or train with `--python {python}`",
    )


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
            f"use the data of {trained}, {_TRAIN_AGAIN} on these data, or run it nevertheless with "
            "--allow-version-mismatch",
        )
    warning = f"allowed by --allow-version-mismatch: {message}"
    log_step("warning", warning)
    return [warning]


def check_features(manifest: BundleManifest | None, named: Sequence[str]) -> None:
    """Require that the manifest lists every feature that the pickle names.

    Raises:
        ModelUnavailable: the pickle names others.
    """
    if manifest is None or not manifest.features:
        return
    others = sorted(set(named) - set(manifest.features))
    if others:
        raise ModelUnavailable(
            f"expected the {len(manifest.features):,} features of {manifest.path} in the pickle, "
            f"found {len(others):,} others, such as {_examples(others)}",
            f"{_TRAIN_AGAIN}: the manifest was changed",
        )


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
            f"{_examples(missing)}"
        )
    return found


def _examples(names: Sequence[str]) -> str:
    return one_line(", ".join(names[:_MAX_NAMED]))
