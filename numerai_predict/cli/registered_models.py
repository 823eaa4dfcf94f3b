"""Registered models on the command line: `registry:NAME@ALIAS` in place of a pickle."""

from __future__ import annotations

import os
from pathlib import Path

from numerai_predict.cli.exit_codes import UsageError
from numerai_predict.registry.local_copy import local_copy
from numerai_predict.registry.reference import Reference, is_reference, parse_reference
from numerai_predict.registry.registry import Registry
from numerai_predict.registry.store import DirectoryStore
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.directories import registered_copies_directory, registry_directory


def open_registry(directory: Path | None = None) -> Registry:
    """The registry in a directory, by default that of the environment."""
    return Registry(DirectoryStore(directory or registry_directory(os.environ)))


def local_pickle(source: str) -> str:
    """The path of the pickle that a reference names; any other source as it is.

    Raises:
        UsageError: the reference has a wrong form.
        RegistryError: there is no such version, or it cannot be read.
    """
    if not is_reference(source):
        return source
    try:
        reference = parse_reference(source)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return str(copy_of(open_registry(), reference))


def copy_of(registry: Registry, reference: Reference) -> Path:
    """A local copy of the pickle of a version."""
    number = registry.version(reference).number
    log_step("model", f"{reference} is version {number}")
    fixed = Reference(reference.name, number, None)
    return local_copy(registry, fixed, registered_copies_directory(os.environ))
