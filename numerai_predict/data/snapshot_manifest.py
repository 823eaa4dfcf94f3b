"""What a folder of data holds: which bytes, of which round, since when."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.storage.files import atomic_write, sha256_of

NAME = "manifest.json"

_FORM = 1


@dataclass(frozen=True)
class SnapshotEntry:
    """One file: `round` is the current one when it was asked for last, `fetched` in UTC.

    `changed` is the file's time of change in nanoseconds: with `bytes` it tells, without
    reading it, that the file is still the one that was hashed.
    """

    sha256: str
    bytes: int
    changed: int
    etag: str | None
    round: int | None
    fetched: str

    def is_untouched(self, path: Path) -> bool:
        """Whether the file is the one that was hashed; read only where its time differs."""
        try:
            facts = path.stat()
        except OSError:
            return False
        if facts.st_size != self.bytes:
            return False
        return facts.st_mtime_ns == self.changed or self.is_intact(path)

    def is_intact(self, path: Path) -> bool:
        """Whether the file has the bytes that were hashed."""
        try:
            return path.stat().st_size == self.bytes and sha256_of(path) == self.sha256
        except OSError:
            return False


def read_snapshot_manifest(folder: Path) -> dict[str, SnapshotEntry]:
    """The entries by name, like `v5.2/train.parquet`; none where there is no manifest.

    Raises:
        DatasetUnavailable: there is something else in its place.
    """
    path = folder / NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(path, error.strerror or "it cannot be read") from error
    try:
        facts = json.loads(text)
        if facts["form"] != _FORM:
            raise ValueError(f"form {facts['form']!r}")
        return {name: SnapshotEntry(**entry) for name, entry in facts["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error


def write_snapshot_manifest(folder: Path, entries: dict[str, SnapshotEntry]) -> None:
    """Replace the manifest at once.

    Raises:
        OSError: it cannot be written.
    """
    files = {name: asdict(entries[name]) for name in sorted(entries)}
    with atomic_write(folder / NAME) as handle:
        handle.write((json.dumps({"form": _FORM, "files": files}, indent=2) + "\n").encode())


def _unreadable(path: Path, found: str) -> DatasetUnavailable:
    return DatasetUnavailable(
        f"expected the manifest of a snapshot at {path}, found: {found}",
        "move it away and run `numerai-predict data get` again",
    )
