"""The manifest of a model bundle: what it states about the pickle, read within limits.

Training writes `manifest.json` beside `model.pkl`. Anybody may have changed either since: the file
is foreign text of any size, depth and type.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.dataset_name import data_version_of, is_data_version
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.trained_eras import MANIFEST, PICKLE

MAX_BYTES = 4 * 1024**2
_MAX_FEATURES = 20_000
_MAX_CHARACTERS = 300
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PYTHON = re.compile(r"\d{1,2}\.\d{1,3}", re.ASCII)


class InvalidBundleManifest(Exception):
    """A manifest that cannot be read; the text says what was found."""


@dataclass(frozen=True)
class BundleManifest:
    """What a manifest states about its pickle; `None`, or no features, where it states nothing.

    `python` is like `3.12`. `data_version` is that of the training data, `server` the tournament's
    server that they came from. `document` is the whole manifest.
    """

    path: Path
    file: str
    sha256: str
    python: str | None
    data_version: str | None
    server: str | None
    features: tuple[str, ...]
    document: Mapping[str, Any]


def read_bundle_manifest(pickle: Path, sha256: str | None = None) -> BundleManifest | None:
    """The manifest in the pickle's directory; `None` if there is none of this pickle.

    A manifest names its pickle's file. `sha256` is the pickle's hash: with it, the manifest of a
    pickle that was renamed is found too.

    Raises:
        InvalidBundleManifest: the manifest of a `model.pkl` cannot be read.
    """
    path = pickle.parent / MANIFEST
    try:
        document = _load(path)
        if document is None:
            return None
        manifest = _parse(path, document)
    except InvalidBundleManifest:
        if pickle.name == PICKLE:
            raise
        return None  # of another program, or of another pickle
    return manifest if pickle.name == manifest.file or sha256 == manifest.sha256 else None


def _load(path: Path) -> Mapping[str, Any] | None:
    """The document; `None` if there is no file, or one that describes no pickle.

    Raises:
        InvalidBundleManifest: it is too large or too deep, no JSON, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InvalidBundleManifest("a device, pipe or directory")
        with open(path, "rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidBundleManifest(error.strerror or "a file that cannot be read") from None
    if len(content) > MAX_BYTES:
        raise InvalidBundleManifest(f"more than {MAX_BYTES:,} bytes")
    try:
        document = json.loads(content)
    except RecursionError:
        raise InvalidBundleManifest("JSON that is nested too deep") from None
    except ValueError as error:
        raise InvalidBundleManifest(f"no JSON: {one_line(error, _MAX_CHARACTERS)}") from None
    if not isinstance(document, dict):
        raise InvalidBundleManifest(f"{type(document).__name__} in place of an object")
    return document if "model" in document else None


def _parse(path: Path, document: Mapping[str, Any]) -> BundleManifest:
    model = _section(document, "model")
    data = _section(document, "data") if "data" in document else {}
    version = _text(data, "data.version", is_data_version)
    directory = _text(data, "data.directory", lambda _: True)
    if version is None and directory is not None:  # manifests of earlier versions name it alone
        version = data_version_of(f"{directory}/{PICKLE}")
    sha256 = _text(model, "model.sha256", lambda text: _SHA256.fullmatch(text) is not None)
    if sha256 is None:
        raise InvalidBundleManifest("no model.sha256")
    return BundleManifest(
        path=path,
        file=_text(model, "model.file", lambda text: "/" not in text) or PICKLE,
        sha256=sha256,
        python=_text(model, "model.python", lambda text: _PYTHON.fullmatch(text) is not None),
        data_version=version,
        server=_text(data, "data.server", lambda text: len(text) <= _MAX_CHARACTERS),
        features=_features(data),
        document=document,
    )


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = document[name]
    if not isinstance(section, dict):
        raise InvalidBundleManifest(f"{name}: {type(section).__name__} in place of an object")
    return section


def _text(section: Mapping[str, Any], name: str, accepts: Any) -> str | None:
    value = section.get(name.rpartition(".")[2])
    if value is None:
        return None
    if not isinstance(value, str) or not accepts(value):
        raise InvalidBundleManifest(f"{name}: {one_line(repr(value)[:_MAX_CHARACTERS])}")
    return value


def _features(data: Mapping[str, Any]) -> tuple[str, ...]:
    features = data.get("features")
    names = features.get("names", []) if isinstance(features, dict) else []
    if features is not None and not isinstance(features, dict):
        raise InvalidBundleManifest(f"data.features: {type(features).__name__}, no object")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidBundleManifest("data.features.names: no list of texts")
    if len(names) > _MAX_FEATURES:
        raise InvalidBundleManifest(f"data.features.names: more than {_MAX_FEATURES:,}")
    return tuple(names)
