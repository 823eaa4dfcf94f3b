"""Cache of downloaded data sets, shared by all processes of a user.

    objects/<sha256>     the bytes, by their hash
    names/<key>.json     hash and ETag of the last download of a URL
    locks/<key>          held while a process fetches that URL

A data set's name stays while its data change each round. So the server is asked at each use
whether the object still has the ETag (HTTP 304, a response without a body), and the bytes are
hashed again as they are copied. The kernel frees the lock of a killed process; its partial
file is removed by the next holder of the lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import format_size
from numerai_predict.storage.file_lock import LockHeld, file_lock
from numerai_predict.storage.files import PART_SUFFIX, atomic_write, part_beside, sha256_of
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.stored_copy import StoredCopy
from numerai_predict.storage.transfer.download import STEP, Opener, download
from numerai_predict.storage.transfer.http import NotModified, http_opener

LARGEST_BYTES = 8 * 1024**3

_CHUNK_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_WAIT_SECONDS = 900.0  # for another process, which may be suspended for good


class Address(Protocol):
    """The address of an object; `identity` is its URL without secrets."""

    identity: str

    def __call__(self) -> str:
        """The URL for the next attempt."""


@dataclass(frozen=True)
class Cache:
    """A directory of at most `largest` bytes; `None` for no cache."""

    folder: Path | None
    largest: int = LARGEST_BYTES

    def fetch(
        self,
        address: Address,
        target: Path,
        source: str,
        policy: TransferPolicy,
        snapshot: StoredCopy | None = None,
    ) -> Path:
        """Fetch the object to `target`: from a stored copy if it is current, else a download.

        `snapshot` is a copy that this machine has besides those of the cache. If the cache
        cannot be used, this is logged, and the object is downloaded.

        Raises:
            FetchFailed: it cannot be fetched; `FetchInterrupted` where another attempt may
                succeed.
            DeadlinePassed: the time for the whole run is over.
        """

        def opener(known_etag: str | None = None) -> Opener:
            return http_opener(address, source, policy, known_etag)

        with self._entry(address.identity, source, policy) as entry:
            copy = _newest(snapshot, entry.read() if entry else None)
            try:
                headers = download(opener(copy.etag if copy else None), target, source, policy)
            except NotModified:
                if copy and copy.write_to(target, policy.deadline):
                    policy.log(f"{source}: unchanged, from {copy.location}")
                    if entry:
                        entry.mark_as_used(copy)
                    return target
                headers = download(opener(), target, source, policy)
            if entry:
                entry.keep(target, headers, self.largest, policy)
        return target

    @contextmanager
    def _entry(self, identity: str, source: str, policy: TransferPolicy) -> Iterator[_Entry | None]:
        """The entry of one URL, locked for the time of the block; `None` without a cache."""
        if self.folder is None:
            yield None
            return
        entry = _Entry(self.folder, hashlib.sha256(identity.encode()).hexdigest())
        usable = False
        with ExitStack() as stack:
            try:
                entry.make_folders()
                wait = min(_LONGEST_WAIT_SECONDS, policy.deadline.remaining())
                stack.enter_context(file_lock(entry.lock_file, wait))
                usable = True
            except LockHeld:
                policy.deadline.check(STEP)
                policy.log(
                    f"another process takes too long to download {source}: not waiting for it"
                )
            except OSError as error:  # no permission, no space, or a file system without locks
                policy.log(f"no cache in {self.folder}: {error.strerror}")
            yield entry if usable else None


def _newest(first: StoredCopy | None, second: StoredCopy | None) -> StoredCopy | None:
    """The copy that was downloaded last: it is the likeliest to be current."""
    copies = [copy for copy in (first, second) if copy is not None]
    return max(copies, key=lambda copy: copy.fetched, default=None)


@dataclass(frozen=True)
class _Entry:
    """The entry of one URL in the cache."""

    folder: Path
    key: str

    @property
    def lock_file(self) -> Path:
        """The file that a process locks while it uses the entry."""
        return self.folder / "locks" / self.key

    def make_folders(self) -> None:
        """Create the directories of the cache.

        Raises:
            OSError: they cannot be created.
        """
        for name in ("objects", "names", "locks"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self) -> StoredCopy | None:
        """The copy of the last download, if it still exists."""
        try:
            document = json.loads(self._name.read_bytes())
            etag, sha256 = str(document["etag"]), str(document["sha256"])
            fetched = self._name.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not _SHA256.fullmatch(sha256):  # it becomes a path
            return None
        stored = self._object(sha256)
        if not stored.is_file():
            return None
        return StoredCopy(stored, sha256, etag, fetched, "the cache")

    def keep(
        self, path: Path, headers: Mapping[str, str], largest: int, policy: TransferPolicy
    ) -> None:
        """Store a download, if a strong ETag will show later whether it is current."""
        etag = headers.get("ETag", "")
        if not etag.startswith('"') or path.stat().st_size > largest:
            return
        sha256 = sha256_of(path)
        try:
            self._remove_leftovers()
            self._store(path, sha256, etag, policy.deadline)
            self._evict(sha256, largest, policy)
        except OSError as error:
            policy.log(f"not kept in the cache {self.folder}: {error.strerror}")

    def mark_as_used(self, copy: StoredCopy) -> None:
        """Defer the eviction of an object of the cache."""
        if copy.path.parent == self.folder / "objects":
            with suppress(OSError):  # evicted by another process meanwhile
                os.utime(copy.path)

    def _store(self, path: Path, sha256: str, etag: str, deadline: Deadline) -> None:
        stored = self._object(sha256)
        if not (stored.is_file() and sha256_of(stored) == sha256):
            # The partial file is named after the key: the next holder of the lock removes it.
            with part_beside(stored.with_name(self.key)) as part:
                with open(path, "rb") as reader, open(part, "wb") as writer:
                    while chunk := reader.read(_CHUNK_BYTES):
                        deadline.check(STEP)
                        writer.write(chunk)
                part.replace(stored)
        with suppress(OSError):
            os.utime(stored)
        with atomic_write(self._name) as handle:
            handle.write(json.dumps({"etag": etag, "sha256": sha256}).encode())

    def _remove_leftovers(self) -> None:
        for folder in ("objects", "names"):
            for part in (self.folder / folder).glob(f".{self.key}*{PART_SUFFIX}"):
                part.unlink(missing_ok=True)

    def _evict(self, newest: str, largest: int, policy: TransferPolicy) -> None:
        """Remove the least recently used objects until the rest fits; never the newest."""
        evictable = []
        for stored in (self.folder / "objects").glob("[0-9a-f]*"):
            if stored.name != newest:
                status = stored.stat()
                evictable.append((status.st_mtime, status.st_size, stored))
        total = sum(each[1] for each in evictable) + self._object(newest).stat().st_size
        for _, size, stored in sorted(evictable):
            if total <= largest:
                return
            stored.unlink(missing_ok=True)
            total -= size
            policy.log(f"cache: removed {format_size(size)}, the least recently used")

    def _object(self, sha256: str) -> Path:
        return self.folder / "objects" / sha256

    @property
    def _name(self) -> Path:
        return self.folder / "names" / f"{self.key}.json"
