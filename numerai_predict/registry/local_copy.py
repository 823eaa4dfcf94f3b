"""Local copies of registered models: what commands run in place of a reference."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from numerai_predict.contract.trained_eras import MANIFEST
from numerai_predict.registry.history import ModelVersion
from numerai_predict.registry.reference import Reference
from numerai_predict.registry.registry import Registry
from numerai_predict.storage.files import sha256_of


def local_copy(registry: Registry, reference: Reference, directory: Path) -> Path:
    """The pickle of a version, with its manifest beside it, in a directory of copies.

    A copy that is there is compared with its hashes, and made again if it differs.

    Raises:
        UnknownVersion: there is no such version.
        CorruptVersion: a file of it is missing or differs in the registry.
        OSError: the copy cannot be written.
    """
    version = registry.version(reference)
    needed = [version.pickle, *([MANIFEST] if MANIFEST in version.added.files else [])]
    digest = version.added.files[version.pickle].sha256[:12]
    copy = directory / f"{reference.name}-{version.number}-{digest}"
    if not _is_whole(copy, version, needed):
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=directory, ignore_cleanup_errors=True) as part:
            numbered = Reference(reference.name, version.number, None)
            registry.write_files(numbered, Path(part), needed)
            _replace(Path(part), copy)
    return copy / version.pickle


def _is_whole(copy: Path, version: ModelVersion, needed: list[str]) -> bool:
    try:
        return all(sha256_of(copy / name) == version.added.files[name].sha256 for name in needed)
    except OSError:
        return False


def _replace(part: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    try:
        part.rename(copy)
    except OSError:
        if not copy.is_dir():  # else another process was faster
            raise
