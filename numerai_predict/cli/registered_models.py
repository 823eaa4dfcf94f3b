"""Registered models on the command line: `registry:NAME@ALIAS` in place of a pickle."""

from __future__ import annotations

import os
from pathlib import Path

from numerai_predict.cli.exit_codes import UsageError
from numerai_predict.registry.local_copy import local_copy
from numerai_predict.registry.reference import Reference, is_reference, parse_reference
from numerai_predict.registry.registry import Registry
from numerai_predict.registry.store import DirectoryStore, Store
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.directories import registered_copies_directory, registry_location
from numerai_predict.storage.sources import split_s3_url


def open_registry(location: str | None = None) -> Registry:
    """The registry in a directory or at `s3://BUCKET/PREFIX`, by default that of the environment.

    Raises:
        UsageError: the location is neither.
    """
    return Registry(_store(location or registry_location(os.environ)))


def _store(location: str) -> Store:
    if "://" not in location:
        return DirectoryStore(Path(location).absolute())
    try:
        if not location.startswith("s3://"):
            raise ValueError("other URLs are not supported")
        bucket, prefix = split_s3_url(location)
    except ValueError as error:
        raise UsageError(
            f"expected a directory or s3://BUCKET/PREFIX as the registry, found {location!r}: "
            f"{error}"
        ) from None
    from numerai_predict.registry.s3_store import S3Store  # boto3 takes 0.3 s to import

    return S3Store(bucket, prefix)


def local_pickle(source: str) -> str:
    """The path of the pickle that a reference names; any other source as it is.

    Raises:
        ValueError: the reference has a wrong form.
        RegistryError: there is no such version, or it cannot be read.
    """
    if not is_reference(source):
        return source
    return str(copy_of(open_registry(), parse_reference(source)))


def registered_name(source: str) -> str | None:
    """How messages and records name a registered model; `None` for another source."""
    return source if is_reference(source) else None


def copy_of(registry: Registry, reference: Reference) -> Path:
    """A local copy of the pickle of a version."""
    number = registry.version(reference).number
    log_step("model", f"{reference} is version {number}")
    fixed = Reference(reference.name, number, None)
    return local_copy(registry, fixed, registered_copies_directory(os.environ))
