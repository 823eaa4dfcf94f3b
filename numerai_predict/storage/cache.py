"""Data sets that were downloaded before, shared by all processes of a user.

    objects/<sha256>     the bytes, by their own hash
    names/<key>.json     which bytes a URL gave last, and their ETag
    locks/<key>          held by whoever asks for that URL

The same name holds other data each round, so a name alone is never believed: its
server is asked at each use whether the object still has the ETag, which costs one
answer without a body. The bytes are hashed again as they are handed out. A process
that is killed leaves a lock that the system frees, and a `.part` that the next one
removes.
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
from numerai_predict.storage.download import STEP, Opener, download
from numerai_predict.storage.file_lock import LockHeld, file_lock
from numerai_predict.storage.files import PART_SUFFIX, atomic_write, part_beside, sha256_of
from numerai_predict.storage.http import NotModified, http_opener
from numerai_predict.storage.retry import TransferPolicy

LARGEST_BYTES = 8 * 1024**3

_CHUNK_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_WAIT_SECONDS = 900.0  # for another process, which may be stopped for good


class Address(Protocol):
    """Where something lies: a URL for each try, and `identity`, the URL without secrets."""

    identity: str

    def __call__(self) -> str:
        """The URL for the next try."""


@dataclass(frozen=True)
class Cache:
    """A folder of at most `largest` bytes; `None` for no cache."""

    folder: Path | None
    largest: int = LARGEST_BYTES

    def fetch(self, address: Address, target: Path, source: str, policy: TransferPolicy) -> Path:
        """Put what lies at the address at `target`: from here if it is the same, else anew.

        Where the folder cannot be used, that is said, and the data are downloaded.

        Raises:
            FetchFailed: it cannot be had; `FetchInterrupted` where another try may succeed.
            DeadlinePassed: the time for the whole run is over.
        """

        def opener(known_etag: str | None = None) -> Opener:
            return http_opener(address, source, policy, known_etag)

        with self._entry(address.identity, source, policy) as entry:
            if entry is None:
                download(opener(), target, source, policy)
                return target
            known = entry.read()
            try:
                headers = download(opener(known.etag if known else None), target, source, policy)
            except NotModified:
                if known and entry.copy(known, target, policy.deadline):
                    policy.log(f"{source}: unchanged, from the cache")
                    return target
                headers = download(opener(), target, source, policy)
            entry.keep(target, headers, self.largest, policy)
        return target

    @contextmanager
    def _entry(self, identity: str, source: str, policy: TransferPolicy) -> Iterator[_Entry | None]:
        """The place of one URL, which is this process's alone for the time of the block."""
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


@dataclass(frozen=True)
class _Known:
    """What a URL gave last."""

    etag: str
    sha256: str


@dataclass(frozen=True)
class _Entry:
    """One URL's place in the cache."""

    folder: Path
    key: str

    def make_folders(self) -> None:
        """Create the folders of the cache.

        Raises:
            OSError: they cannot be created.
        """
        for name in ("objects", "names", "locks"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def lock_file(self) -> Path:
        """The file whose lock makes the entry this process's own."""
        return self.folder / "locks" / self.key

    def read(self) -> _Known | None:
        """What is known, if its bytes are still here."""
        try:
            facts = json.loads(self._name.read_bytes())
            known = _Known(str(facts["etag"]), str(facts["sha256"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        is_hash = _SHA256.fullmatch(known.sha256)  # it becomes a path, which may be removed
        return known if is_hash and self._object(known.sha256).is_file() else None

    def copy(self, known: _Known, target: Path, deadline: Deadline) -> bool:
        """Put the known bytes at the target; `False` if they are gone or others by now."""
        digest = hashlib.sha256()
        stored = self._object(known.sha256)
        with part_beside(target) as part:
            try:
                with open(stored, "rb") as reader, open(part, "wb") as writer:
                    while chunk := reader.read(_CHUNK_BYTES):
                        deadline.check(STEP)
                        digest.update(chunk)
                        writer.write(chunk)
            except FileNotFoundError:
                return False
            if digest.hexdigest() != known.sha256:
                stored.unlink(missing_ok=True)
                return False
            part.replace(target)
        self._mark_as_used(stored)
        return True

    def keep(
        self, path: Path, headers: Mapping[str, str], largest: int, policy: TransferPolicy
    ) -> None:
        """Take in what was downloaded, if it can be told later that it is the same."""
        etag = headers.get("ETag", "")
        if not etag.startswith('"') or path.stat().st_size > largest:
            return
        known = _Known(etag, sha256_of(path))
        try:
            self._remove_leftovers()
            self._store(path, known, policy.deadline)
            self._evict(known, largest, policy)
        except OSError as error:
            policy.log(f"not kept in the cache {self.folder}: {error.strerror}")

    def _store(self, path: Path, known: _Known, deadline: Deadline) -> None:
        stored = self._object(known.sha256)
        if not stored.is_file():
            # The name of the part tells whose it is: the next holder of the lock removes it.
            with part_beside(stored.with_name(self.key)) as part:
                with open(path, "rb") as reader, open(part, "wb") as writer:
                    while chunk := reader.read(_CHUNK_BYTES):
                        deadline.check(STEP)
                        writer.write(chunk)
                part.replace(stored)
        self._mark_as_used(stored)
        with atomic_write(self._name) as handle:
            handle.write(json.dumps({"etag": known.etag, "sha256": known.sha256}).encode())

    def _remove_leftovers(self) -> None:
        for folder in ("objects", "names"):
            for part in (self.folder / folder).glob(f".{self.key}*{PART_SUFFIX}"):
                part.unlink(missing_ok=True)

    def _evict(self, known: _Known, largest: int, policy: TransferPolicy) -> None:
        """Remove what was not used for longest, until the rest fits; never what came just now."""
        others = []
        for stored in (self.folder / "objects").glob("[0-9a-f]*"):
            if stored.name != known.sha256:
                facts = stored.stat()
                others.append((facts.st_mtime, facts.st_size, stored))
        size = sum(other[1] for other in others) + self._object(known.sha256).stat().st_size
        for _, bytes_, stored in sorted(others):
            if size <= largest:
                return
            stored.unlink(missing_ok=True)
            size -= bytes_
            policy.log(f"cache: removed {format_size(bytes_)} that were not used for longest")

    def _mark_as_used(self, stored: Path) -> None:
        with suppress(OSError):  # just removed by another process: it was not needed any more
            os.utime(stored)

    def _object(self, sha256: str) -> Path:
        return self.folder / "objects" / sha256

    @property
    def _name(self) -> Path:
        return self.folder / "names" / f"{self.key}.json"
