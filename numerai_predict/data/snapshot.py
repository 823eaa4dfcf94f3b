"""Snapshots: the tournament's files under their own names, with what is known of each.

A file appears whole, under its name, before the manifest tells of it. After a break
between the two it is fetched again: nothing is believed that was not hashed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from numerai_predict.contract.errors import (
    DatasetUnavailable,
    DatasetUnreachable,
    FetchFailed,
    FetchInterrupted,
)
from numerai_predict.data.catalogue import Catalogue
from numerai_predict.data.snapshot_manifest import (
    SnapshotEntry,
    read_snapshot_manifest,
    write_snapshot_manifest,
)
from numerai_predict.storage.download import STEP, download
from numerai_predict.storage.file_lock import LockHeld, file_lock
from numerai_predict.storage.files import PART_SUFFIX, sha256_of
from numerai_predict.storage.http import NotModified, http_opener
from numerai_predict.storage.retry import TransferPolicy

_MOST_ROUNDS = 3  # a round may end while its data come; three in a row do not


@dataclass(frozen=True)
class FetchedSnapshot:
    """A file of a snapshot: `reused` where its bytes were here already."""

    name: str
    path: Path
    entry: SnapshotEntry
    reused: bool


@dataclass(frozen=True)
class Snapshot:
    """A folder of the tournament's data, like `v5.2/train.parquet` within it."""

    folder: Path

    def get(
        self,
        names: Iterable[str],
        catalogue: Catalogue,
        policy: TransferPolicy,
        force: bool = False,
    ) -> list[FetchedSnapshot]:
        """Have the files here: those that the tournament has, whose names are exact.

        What is unchanged by its server's word (the ETag) and by its hash is not fetched
        again, unless `force` asks for it. Live data are those of the current round.

        Raises:
            DatasetUnavailable: a file cannot be had; `DatasetUnreachable` where another
                try may succeed.
            DeadlinePassed: the time for the whole run is over.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked(policy):
                return [self._take(name, catalogue, policy, force) for name in names]
        except FetchInterrupted as error:
            raise DatasetUnreachable(error.message, error.remedy) from error
        except FetchFailed as error:
            raise DatasetUnavailable(error.message, error.remedy) from error
        except OSError as error:
            raise DatasetUnavailable(
                f"expected to write to {self.folder}, found: {error.strerror}",
                "choose another folder with --directory",
            ) from error

    def entries(self) -> Mapping[str, SnapshotEntry]:
        """What the manifest tells, by name.

        Raises:
            DatasetUnavailable: the manifest cannot be read.
        """
        return read_snapshot_manifest(self.folder)

    def verify(self) -> dict[str, str]:
        """What is wrong, by name: `missing` or `changed`; every file is read and hashed.

        Raises:
            DatasetUnavailable: the manifest cannot be read.
        """
        wrong = {}
        for name, entry in self.entries().items():
            path = self.folder / name
            if not path.is_file():
                wrong[name] = "missing"
            elif not entry.is_intact(path):
                wrong[name] = "changed"
        return wrong

    def _take(
        self, name: str, catalogue: Catalogue, policy: TransferPolicy, force: bool
    ) -> FetchedSnapshot:
        for _ in range(_MOST_ROUNDS):
            number = catalogue.round()
            taken = self._take_once(name, number, catalogue, policy, force)
            if not is_live(name) or catalogue.round() == number:
                return taken
        raise FetchInterrupted(
            f"expected {name} of one round, found another round after each try", "try again later"
        )

    def _take_once(
        self,
        name: str,
        number: int | None,
        catalogue: Catalogue,
        policy: TransferPolicy,
        force: bool,
    ) -> FetchedSnapshot:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for part in path.parent.glob(f".{path.name}*{PART_SUFFIX}"):
            part.unlink(missing_ok=True)  # of a run that was killed: the lock is ours
        known = read_snapshot_manifest(self.folder).get(name)
        if force or (known and not known.is_untouched(path)):
            known = None
        opener = http_opener(
            lambda: catalogue.url(name), name, policy, known.etag if known else None
        )
        try:
            headers = download(opener, path, name, policy)
        except NotModified:
            return self._record(name, known, number, reused=True)
        entry = _entry_of(path, headers.get("ETag"), number)
        same = known is not None and known.sha256 == entry.sha256
        return self._record(name, entry, number, reused=same)

    def _record(
        self, name: str, entry: SnapshotEntry | None, number: int | None, reused: bool
    ) -> FetchedSnapshot:
        if entry is None:
            raise FetchFailed(
                f"expected {name}, found `not modified` where nothing was here", "use --force"
            )
        path = self.folder / name
        told = {**vars(entry), "round": number, "changed": path.stat().st_mtime_ns}
        entries = read_snapshot_manifest(self.folder) | {name: SnapshotEntry(**told)}
        write_snapshot_manifest(self.folder, entries)
        return FetchedSnapshot(name, path, entries[name], reused)

    @contextmanager
    def _locked(self, policy: TransferPolicy) -> Iterator[None]:
        """One process at a time; the system frees the lock of a killed one."""
        with ExitStack() as stack:
            try:
                stack.enter_context(file_lock(self.folder / ".lock", policy.deadline))
            except LockHeld:
                policy.deadline.check(STEP)
                raise
            yield


def is_live(name: str) -> bool:
    """Whether the file changes with each round."""
    return name.rpartition("/")[2].startswith("live")


def _entry_of(path: Path, etag: str | None, number: int | None) -> SnapshotEntry:
    facts = path.stat()
    return SnapshotEntry(
        sha256=sha256_of(path),
        bytes=facts.st_size,
        changed=facts.st_mtime_ns,
        etag=etag if etag and etag.startswith('"') else None,
        round=number,
        fetched=f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
    )
