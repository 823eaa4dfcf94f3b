"""Compares a bundle with its manifest: the pickle, its Python and its features.

A pickle without a manifest is no bundle, and nothing is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numerai_predict.contract.errors import ModelUnavailable, PythonMismatch
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.inspection.bundle_manifest import (
    BundleManifest,
    InvalidBundleManifest,
    read_bundle_manifest,
)
from numerai_predict.storage.files import resolve_links

_MAX_NAMED = 3
TRAIN_AGAIN = "train again (`numerai-predict train`)"


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
        for pickle in dict.fromkeys((named.absolute(), resolve_links(named))):
            if manifest := read_bundle_manifest(pickle, sha256):
                return manifest
    except InvalidBundleManifest as error:
        raise ModelUnavailable(
            f"expected the manifest of a bundle beside {named}, found: {error}",
            f"{TRAIN_AGAIN}, or move manifest.json away to use the pickle without its checks",
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
            f"put the bundle's own pickle back, or {TRAIN_AGAIN}; a pickle of your own needs "
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
            f"found {len(others):,} others, such as {examples(others)}",
            f"{TRAIN_AGAIN}: the manifest was changed",
        )


def examples(names: Sequence[str]) -> str:
    """The first names, printable."""
    return one_line(", ".join(names[:_MAX_NAMED]))
