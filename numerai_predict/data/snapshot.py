"""Snapshots: verified local copies of the tournament's files, under their own names.

A file appears whole under its name before the manifest lists it. After a crash between the
two it is fetched again: only hashed files are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path

from numerai_predict.contract.errors import (
    DatasetUnavailable,
    DatasetUnreachable,
    FetchFailed,
    FetchInterrupted,
)
from numerai_predict.contract.server_name import server_of
from numerai_predict.data.catalogue import Catalogue, CurrentRound
from numerai_predict.storage.file_lock import LockHeld, file_lock
from numerai_predict.storage.files import PART_SUFFIX, sha256_of
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy
from numerai_predict.storage.snapshot_manifest import (
    SnapshotEntry,
    read_snapshot_document,
    read_snapshot_manifest,
    write_snapshot_manifest,
)
from numerai_predict.storage.snapshot_server import label_for, require_server
from numerai_predict.storage.transfer.download import STEP, download
from numerai_predict.storage.transfer.http import NotModified, http_opener


class _RoundChanged(Exception):
    """A round ended while its data were fetched."""


# Three rounds that end while their data are fetched are no coincidence.
_ROUND_RETRY = RetryPolicy(3, Backoff(0.0, 0.0, jitter=False), retry_on=(_RoundChanged,))


class FileProblem(Enum):
    """What is wrong with a file of a snapshot."""

    MISSING = "missing"
    CHANGED = "changed"


@dataclass(frozen=True)
class FetchedSnapshot:
    """A file of a snapshot; `reused` if its bytes were not downloaded again."""

    name: str
    path: Path
    entry: SnapshotEntry
    reused: bool


@dataclass(frozen=True)
class Snapshot:
    """A directory of the tournament's data, with files like `v5.2/train.parquet`."""

    folder: Path

    def get(
        self,
        names: Iterable[str],
        catalogue: Catalogue,
        policy: TransferPolicy,
        force: bool = False,
    ) -> list[FetchedSnapshot]:
        """Fetch files of the tournament by their exact names, unless they are current.

        A file is current if its server confirms the ETag and the file is the hashed one;
        `force` fetches it anyway. Live data are those of the current round.

        Raises:
            DatasetUnavailable: the directory has data of another server, or a file cannot be
                fetched; `DatasetUnreachable` where another attempt may succeed.
            DeadlinePassed: the time for the whole run is over.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked(policy):
                require_server(self.folder, server_of(catalogue.api.url))
                fetch = _SnapshotFetch(self.folder, catalogue, policy, force)
                return [fetch.get(name) for name in names]
        except FetchInterrupted as error:
            raise DatasetUnreachable(error.message, error.remedy) from error
        except FetchFailed as error:
            raise DatasetUnavailable(error.message, error.remedy) from error
        except OSError as error:
            raise DatasetUnavailable(
                f"expected to write to {self.folder}, found: {error.strerror}",
                "choose another directory with --data-dir",
            ) from error

    def entries(self) -> Mapping[str, SnapshotEntry]:
        """The entries of the manifest, by name.

        Raises:
            DatasetUnavailable: the manifest cannot be read.
        """
        return read_snapshot_manifest(self.folder)

    def verify(
        self, on_progress: Callable[[int, int], None] | None = None
    ) -> dict[str, FileProblem]:
        """The problems by file name; every file is read and hashed.

        `on_progress` is called before each file, with the bytes that were read and those of all.

        Raises:
            DatasetUnavailable: the manifest cannot be read.
        """
        problems = {}
        entries, done = self.entries(), 0
        total = sum(entry.bytes for entry in entries.values())
        for name, entry in entries.items():
            path = self.folder / name
            if on_progress is not None:
                on_progress(done, total)
            done += entry.bytes
            if not path.is_file():
                problems[name] = FileProblem.MISSING
            elif not entry.is_intact(path):
                problems[name] = FileProblem.CHANGED
        return problems

    @contextmanager
    def _locked(self, policy: TransferPolicy) -> Iterator[None]:
        """Exclude other processes, after waiting for them."""
        with ExitStack() as stack:
            try:
                stack.enter_context(file_lock(self.folder / ".lock", policy.deadline))
            except LockHeld:
                policy.deadline.check(STEP)
                raise
            yield


@dataclass(frozen=True)
class _SnapshotFetch:
    """Fetches files into a directory of snapshots, whose lock is held."""

    folder: Path
    catalogue: Catalogue
    policy: TransferPolicy
    force: bool

    def get(self, name: str) -> FetchedSnapshot:
        """Fetch a file; live data again if the round ended meanwhile."""

        def attempt() -> FetchedSnapshot:
            round_ = self.catalogue.round()
            fetched = self._fetch(name, round_)
            if is_live(name) and self.catalogue.round().number != round_.number:
                raise _RoundChanged
            return fetched

        try:
            return _ROUND_RETRY.call(attempt, self.policy.deadline, STEP)
        except _RoundChanged:
            raise FetchInterrupted(
                f"expected {name} of one round, found another round after each attempt",
                "try again later",
            ) from None

    def _fetch(self, name: str, round_: CurrentRound) -> FetchedSnapshot:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for part in path.parent.glob(f".{path.name}*{PART_SUFFIX}"):
            part.unlink(missing_ok=True)  # of a killed process: the lock is ours
        known = read_snapshot_manifest(self.folder).get(name)
        if self.force or (known and not known.is_untouched(path)):
            known = None
        address = _DatasetAddress(name, self.catalogue)
        opener = http_opener(address, name, self.policy, known.etag if known else None)
        try:
            headers = download(opener, path, name, self.policy)
        except NotModified:
            if known is None:
                raise FetchFailed(
                    f"expected {name}, found `not modified` for a file that was not there",
                    "fetch it again with --refetch",
                ) from None
            return self._record(name, replace(known, server=address.server), round_, known)
        entry = _make_entry(path, headers.get("ETag"), round_.number, address.server)
        same = known is not None and known.sha256 == entry.sha256
        return self._record(name, entry, round_, known if same else None)

    def _record(
        self, name: str, entry: SnapshotEntry, round_: CurrentRound, same: SnapshotEntry | None
    ) -> FetchedSnapshot:
        """Record a file; `same` is the entry of the same bytes, if they were there before."""
        path = self.folder / name
        entry = replace(
            entry,
            round=round_.number,
            live_in=_live_in(same, round_) if is_live(name) else None,
            changed=path.stat().st_mtime_ns,
        )
        document = read_snapshot_document(self.folder)
        entries = document.files | {name: entry}
        label = label_for(server_of(self.catalogue.api.url), entries, document.server)
        write_snapshot_manifest(self.folder, entries, label)
        return FetchedSnapshot(name, path, entry, same is not None)


class _DatasetAddress:
    """The URL of a file, requested again for each attempt; `server` is that of the last one."""

    def __init__(self, name: str, catalogue: Catalogue) -> None:
        self.server: str | None = None
        self._name = name
        self._catalogue = catalogue

    def __call__(self) -> str:
        url = self._catalogue.url(self._name)
        self.server = server_of(url)
        return url


def _live_in(same: SnapshotEntry | None, round_: CurrentRound) -> int | None:
    """The round that live data are of: the first whose window was open while they were current.

    Live data of the next round do not replace those of a round that is still open. Between two
    windows it is unknown which of the two rounds they are of.
    """
    if same is not None and same.live_in is not None:
        return same.live_in
    return round_.number if round_.is_open else None


def is_live(name: str) -> bool:
    """Whether the file changes with each round."""
    return name.rpartition("/")[2].startswith("live")


def _make_entry(
    path: Path, etag: str | None, number: int | None, server: str | None
) -> SnapshotEntry:
    status = path.stat()
    return SnapshotEntry(
        sha256=sha256_of(path),
        bytes=status.st_size,
        changed=status.st_mtime_ns,
        etag=etag if etag and etag.startswith('"') else None,
        round=number,
        fetched=f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        server=server,
    )
