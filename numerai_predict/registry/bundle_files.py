"""What a registry stores of a bundle or a pickle: its files, and the facts that lists show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import ModelUnavailable
from numerai_predict.contract.trained_eras import MANIFEST, PICKLE
from numerai_predict.inspection.bundle_manifest import BundleManifest
from numerai_predict.inspection.compression import is_compressed
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.registry.event_schema import MAX_SCORE
from numerai_predict.runner.bundle_check import check_pickle
from numerai_predict.storage.files import sha256_of

# What training and diagnosis write beside a bundle's pickle.
_BESIDE = (MANIFEST, "scores.json", "predictions.parquet", "diagnose.html", "diagnose.json")
_SCORES = ("corr", "mmc", "bmc", "fnc")


def find_pickle(path: Path) -> Path:
    """The pickle at a path: the file itself, or that of the bundle in a directory.

    Raises:
        ModelUnavailable: there is none.
    """
    pickle = path / PICKLE if path.is_dir() else path
    if not pickle.is_file():
        raise ModelUnavailable(
            f"expected a pickle or the directory of a bundle, found no file at {pickle}",
            "name the pickle, or the directory that `numerai-predict train` wrote",
        )
    return pickle


def bundle_files(pickle: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    """The files of a version by their names in the registry, and its facts.

    A bundle is untrusted: a symbolic link in it could name a file of the user's, which others could
    then read in the registry. So links beside the pickle are left out.

    Raises:
        ModelUnavailable: the manifest beside the pickle is of other bytes.
        InvalidPickle: the file is no pickle.
    """
    manifest = check_pickle(str(pickle), sha256_of(pickle))
    inspection = inspect_pickle(pickle)
    name = f"{PICKLE}{pickle.suffix}" if is_compressed(pickle.name) else PICKLE
    beside = _BESIDE if manifest else ()
    found = {each: path for each in beside if _is_own_file(path := pickle.parent / each)}
    pythons = list(inspection.pythons.legal or ())
    return {name: pickle, **found}, _facts(manifest, pythons)


def _facts(manifest: BundleManifest | None, pythons: list[str]) -> dict[str, Any]:
    if manifest is None:
        return {"python": pythons, "data_version": None, "features": None, "scores": {}}
    return {
        "python": [manifest.python] if manifest.python else pythons,
        "data_version": manifest.data_version,
        "features": len(manifest.features) or None,
        "scores": _scores(manifest.document),
    }


def _scores(document: Mapping[str, Any]) -> dict[str, float]:
    """The mean scores over the windows of the training; a manifest is foreign text."""
    found = document.get("scores")
    windows = found.get("windows") if isinstance(found, Mapping) else None
    if not isinstance(windows, Mapping):
        return {}
    means = {name: _mean(windows.get(name)) for name in _SCORES}
    return {name: mean for name, mean in means.items() if mean is not None}


def _mean(summary: Any) -> float | None:
    mean = summary.get("mean") if isinstance(summary, Mapping) else None
    if isinstance(mean, bool) or not isinstance(mean, int | float):
        return None
    return float(mean) if abs(mean) <= MAX_SCORE else None


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
