"""The registry: versions of models by name, and what can be done with them.

What happened to a model is a sequence of events, each in a file of its own whose name is its
number. A change reads the events, decides, and creates the file of the next number; if another
process was faster, the file exists, and the change is decided again. So versions and aliases are
never torn or lost, and the history cannot differ from them. Contents are stored once under their
hash, before the event that names them.
"""

from __future__ import annotations

import difflib
import getpass
import secrets
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.registry_errors import (
    CorruptVersion,
    UnknownVersion,
)
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.registry.event_log import EventLog
from numerai_predict.registry.events import EventKind, RegistryEvent, StoredFile
from numerai_predict.registry.history import ModelHistory, ModelVersion
from numerai_predict.registry.reference import PRODUCTION, Reference
from numerai_predict.registry.store import Store
from numerai_predict.storage.files import sha256_of

OBJECTS = "objects/"


@dataclass(frozen=True)
class Registry:
    """The registry in a store."""

    store: Store

    @property
    def _events(self) -> EventLog:
        return EventLog(self.store)

    def models(self) -> list[str]:
        """The names of all models, sorted."""
        return self._events.models()

    def history(self, name: str) -> ModelHistory:
        """What happened to a model; nothing to one that is not registered.

        Raises:
            RegistryUnavailable: an event cannot be read.
        """
        return self._events.history(name)

    def known_history(self, name: str) -> ModelHistory:
        """The history of a registered model.

        Raises:
            UnknownVersion: there is no such model.
        """
        history = self.history(name)
        if not history.events:
            raise _unknown_model(name, self.models())
        return history

    def version(self, reference: Reference) -> ModelVersion:
        """The version that a reference names.

        Raises:
            UnknownVersion: there is none.
        """
        return _find(self.known_history(reference.name), reference)

    def add(
        self, name: str, files: Mapping[str, Path], facts: Mapping[str, Any], reason: str | None
    ) -> ModelVersion:
        """Add a version of these files; returns it."""
        stored = {
            each: StoredFile(sha256_of(path), path.stat().st_size) for each, path in files.items()
        }
        self._add_files(stored, files)

        def add(history: ModelHistory) -> RegistryEvent:
            number = history.newest + 1
            return _event(
                history, EventKind.ADDED, number, reason=reason, files=stored, facts=facts
            )

        added = self._events.append(name, add)
        # A cleanup may have removed what it knew no version of.
        gone = [each for each in files if self.store.size(object_name(stored[each])) is None]
        self._add_files(stored, {each: files[each] for each in gone})
        return ModelVersion(added, {})

    def set_alias(self, reference: Reference, alias: str, reason: str | None) -> RegistryEvent:
        """Point an alias at a version whose files are complete.

        Raises:
            UnknownVersion: there is no such version.
            CorruptVersion: a file of it is missing or differs.
        """
        version = self.version(reference)
        if faults := self.faults(version):
            raise _corrupt(reference, "; ".join(faults))
        verified = Reference(reference.name, version.number, None)

        def name_version(history: ModelHistory) -> RegistryEvent:
            number = _find(history, verified).number
            return _event(history, EventKind.ALIASED, number, alias=alias, reason=reason)

        return self._events.append(reference.name, name_version)

    def roll_back(
        self, name: str, alias: str = PRODUCTION, reason: str | None = None
    ) -> RegistryEvent:
        """Point an alias at the version that it named before.

        Raises:
            UnknownVersion: there is no such model, or no earlier version.
        """
        self.known_history(name)

        def name_earlier(history: ModelHistory) -> RegistryEvent:
            earlier = history.earlier_versions.get(alias, [])
            if len(earlier) < 2:
                raise UnknownVersion(
                    f"expected an earlier version of {name}@{alias}, found none",
                    "`numerai-predict registry show` lists what the alias named",
                )
            return _event(history, EventKind.ROLLED_BACK, earlier[-2], alias=alias, reason=reason)

        return self._events.append(name, name_earlier)

    def tag(self, reference: Reference, tags: Mapping[str, str]) -> RegistryEvent:
        """Set tags of a version.

        Raises:
            UnknownVersion: there is no such version.
        """
        self.version(reference)

        def set_tags(history: ModelHistory) -> RegistryEvent:
            return _event(history, EventKind.TAGGED, _find(history, reference).number, tags=tags)

        return self._events.append(reference.name, set_tags)

    def remove(self, name: str, number: int, reason: str) -> bool:
        """Remove a version; `False` if an alias names it, or a rollback would."""

        def remove(history: ModelHistory) -> RegistryEvent | None:
            if number not in history.versions or history.is_needed(number):
                return None
            return _event(history, EventKind.REMOVED, number, reason=reason)

        return self._events.append_unless_refused(name, remove) is not None

    def faults(self, version: ModelVersion) -> list[str]:
        """What is wrong with the files of a version, in a few words each; reads all of them."""
        with temporary_directory("numerai-registry-") as folder:
            found = [
                self._fetch(name, file, Path(folder, "object"))
                for name, file in version.added.files.items()
            ]
        return [fault for fault in found if fault]

    def write_files(
        self, reference: Reference, directory: Path, names: Collection[str] | None = None
    ) -> ModelVersion:
        """Write the files of a version into an existing directory, verified; returns it.

        `names` are those to write, by default all.

        Raises:
            UnknownVersion: there is no such version.
            CorruptVersion: a file of it is missing or differs; it is not left there.
        """
        version = self.version(reference)
        for name in version.added.files if names is None else names:
            if fault := self._fetch(name, version.added.files[name], directory / name):
                (directory / name).unlink(missing_ok=True)
                raise _corrupt(reference, fault)
        return version

    def _fetch(self, name: str, file: StoredFile, target: Path) -> str | None:
        """Write a file of a version; returns what is wrong with it, `None` if nothing is."""
        size = self.store.size(object_name(file))
        if size is not None and size != file.bytes:  # no larger file is copied
            return f"{name} with other bytes ({size:,} in place of {file.bytes:,})"
        if size is None or not self.store.copy_to(object_name(file), target):
            return f"{name} missing ({file.sha256[:12]})"
        if (found := sha256_of(target)) != file.sha256:
            return f"{name} with other bytes ({found[:12]} in place of {file.sha256[:12]})"
        return None

    def _add_files(self, stored: Mapping[str, StoredFile], files: Mapping[str, Path]) -> None:
        for name, path in files.items():
            self.store.add_file(object_name(stored[name]), path)


def object_name(file: StoredFile) -> str:
    """The name in the store of a content."""
    return f"{OBJECTS}{file.sha256[:2]}/{file.sha256}"


def _event(history: ModelHistory, kind: EventKind, version: int, **details: Any) -> RegistryEvent:
    now = datetime.now(timezone.utc)
    last = history.events[-1].number if history.events else 0
    return RegistryEvent(
        last + 1,
        secrets.token_hex(8),
        kind,
        f"{now:%Y-%m-%dT%H:%M:%SZ}",
        _user(),
        version,
        **details,
    )


def _user() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # no name for the user id, as in containers
        user = "unknown"
    return one_line(f"{user}@{socket.gethostname()}", 200)


def _find(history: ModelHistory, reference: Reference) -> ModelVersion:
    number = reference.number
    if number is None:
        number = history.aliases.get(reference.alias or "", 0)
    version = history.versions.get(number)
    if version is None:
        raise _unknown_version(history, reference)
    return version


def _corrupt(reference: Reference, found: str) -> CorruptVersion:
    return CorruptVersion(
        f"expected the files of {reference} as they were added, found {found}",
        "add the bundle again, or use another version",
    )


def _unknown_version(history: ModelHistory, reference: Reference) -> UnknownVersion:
    versions = ", ".join(map(str, history.versions)) or "none"
    aliases = ", ".join(f"{name} ({number})" for name, number in history.aliases.items())
    return UnknownVersion(
        f"expected {reference}, found the versions {versions} and the aliases {aliases or 'none'}",
        f"name one of them, or promote one: `numerai-predict registry promote {reference.name}@"
        f"{history.newest}`",
    )


def _unknown_model(name: str, models: list[str]) -> UnknownVersion:
    near = difflib.get_close_matches(name, models, n=3) or models[:10]
    return UnknownVersion(
        f"expected a model in the registry, found none of the name {name}; there are: "
        f"{', '.join(near) or 'none at all'}",
        f"check the name, or add a bundle: `numerai-predict registry add BUNDLE {name}`",
    )
