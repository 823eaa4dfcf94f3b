"""The manifest of a snapshot directory: hash, round and origin of each file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.storage.files import atomic_write, sha256_of

NAME = "manifest.json"

_FORM = 1
_LONGEST_SERVER = 300


@dataclass(frozen=True)
class SnapshotEntry:
    """One file of a snapshot.

    `changed` is its modification time in nanoseconds: together with `bytes` it shows, without
    reading the file, that the file is the hashed one. `round` is the round that was current at
    the last check, `fetched` the time of the download in UTC, and `server` the server that the
    file came from, `None` in entries of earlier versions. `live_in` is the round that live data
    are of, `None` if that is unknown.
    """

    sha256: str
    bytes: int
    changed: int
    etag: str | None
    round: int | None
    fetched: str
    server: str | None = None
    live_in: int | None = None

    def is_untouched(self, path: Path) -> bool:
        """Whether the file is the hashed one; it is read only if its time differs."""
        try:
            status = path.stat()
        except OSError:
            return False
        if status.st_size != self.bytes:
            return False
        return status.st_mtime_ns == self.changed or self.is_intact(path)

    def is_intact(self, path: Path) -> bool:
        """Whether the file has the hashed bytes; it is read."""
        try:
            return path.stat().st_size == self.bytes and sha256_of(path) == self.sha256
        except OSError:
            return False


@dataclass(frozen=True)
class SnapshotDocument:
    """A whole manifest: its entries, and the tournament's server that all of them came from.

    `server` is `None` in manifests of earlier versions.
    """

    files: dict[str, SnapshotEntry]
    server: str | None = None


def read_snapshot_manifest(folder: Path) -> dict[str, SnapshotEntry]:
    """The entries by name, like `v5.2/train.parquet`; none if there is no manifest.

    Raises:
        DatasetUnavailable: the manifest cannot be read.
    """
    return read_snapshot_document(folder).files


def read_snapshot_document(folder: Path) -> SnapshotDocument:
    """The whole manifest; an empty one if there is none.

    Raises:
        DatasetUnavailable: the manifest cannot be read.
    """
    path = folder / NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return SnapshotDocument({})
    except OSError as error:
        raise _unreadable(path, error.strerror or "it cannot be read") from error
    try:
        document = json.loads(text)
        if document["form"] != _FORM:
            raise ValueError(f"form {document['form']!r}")
        server = document.get("server")
        if not isinstance(server, str | None) or len(server or "") > _LONGEST_SERVER:
            raise ValueError(f"server {type(server).__name__}")
        files = {name: _parse_entry(entry) for name, entry in document["files"].items()}
        return SnapshotDocument(files, server)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error


def write_snapshot_manifest(
    folder: Path, entries: dict[str, SnapshotEntry], server: str | None = None
) -> None:
    """Replace the manifest atomically; `server` is the one that all entries came from.

    Raises:
        OSError: it cannot be written.
    """
    files = {name: asdict(entries[name]) for name in sorted(entries)}
    with atomic_write(folder / NAME) as handle:
        label = {} if server is None else {"server": server}
        handle.write(
            (json.dumps({"form": _FORM, **label, "files": files}, indent=2) + "\n").encode()
        )


def _parse_entry(document: dict[str, object]) -> SnapshotEntry:
    """An entry; fields that a later version may have added are ignored."""
    known = {field.name for field in fields(SnapshotEntry)}
    entry: dict[str, object] = {name: document[name] for name in document if name in known}
    return SnapshotEntry(**entry)  # type: ignore[arg-type]


def _unreadable(path: Path, found: str) -> DatasetUnavailable:
    return DatasetUnavailable(
        f"expected the manifest of a snapshot at {path}, found: {found}",
        "move it away and run `numerai-predict data get` again",
    )
