"""Bytes from anywhere into a file: whole and verified, or not there at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.storage.checksums import ThreadedChecksum, checksum_of
from numerai_predict.storage.content_encoding import decode_into_place
from numerai_predict.storage.files import part_beside
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.transfer_progress import TransferProgress

STEP = "fetch"

_SHORTEST_WATCH_SECONDS = 1.0


@dataclass(frozen=True)
class Body:
    """An answer's bytes: those of the whole object from `start` on.

    `read` gives some, none at the end. `total` is the length of the whole object;
    `ends_itself` is true where a body without a length would still show that it broke.
    """

    read: Callable[[], bytes]
    headers: Mapping[str, str]
    start: int = 0
    total: int | None = None
    ends_itself: bool = False

    @property
    def etag(self) -> str | None:
        """What names just these bytes; a weak ETag does not."""
        etag = self.headers.get("ETag", "")
        return etag if etag.startswith('"') else None


class RangeNotSupported(FetchInterrupted):
    """The server has no rest to give of what was begun: the next try begins anew."""


class Opener(Protocol):
    """Asks for an object's bytes from `start` on, of that very object if `start` is not 0.

    The answer may begin at 0 in spite of it: then the object changed, or its server
    has no parts to give.
    """

    def __call__(self, start: int, etag: str | None) -> AbstractContextManager[Body]:
        """The answer's bytes, for the time of the block."""


def download(
    opener: Opener, target: Path, source: str, policy: TransferPolicy
) -> Mapping[str, str]:
    """Fetch what the opener opens to `target`; returns the headers it came with.

    What broke is taken up where it broke, if the server can tell that it still has
    the same bytes. A leftover of another run is never touched.

    Raises:
        FetchFailed: the server refuses.
        FetchInterrupted: no connection, a broken, truncated or corrupt transfer, or an
            answer that asks to come back later, time and again.
        DeadlinePassed: the time for the whole run is over.
    """
    with part_beside(target) as part:
        with open(part, "r+b") as handle, ThreadPoolExecutor(1) as pool:
            transfer = _Transfer(opener, handle, pool, source, policy)
            try:
                policy.repeat(transfer.attempt, STEP)
            finally:
                transfer.progress.end()
        encoding = transfer.headers.get("Content-Encoding", "")
        decode_into_place(part, target, encoding, source, policy.deadline)
    return transfer.headers


class _Transfer:
    """One object on its way into one file, over as many tries as it takes."""

    def __init__(
        self, opener: Opener, handle: BinaryIO, pool: Executor, source: str, policy: TransferPolicy
    ) -> None:
        self.headers: Mapping[str, str] = {}
        self.progress = TransferProgress(source, policy)
        self._opener = opener
        self._handle = handle
        self._pool = pool
        self._source = source
        self._terms = policy
        self._received = 0
        self._total: int | None = None
        self._etag: str | None = None
        self._checksum: ThreadedChecksum | None = None

    def attempt(self) -> None:
        """Get the rest, or all where there is no telling that it is the rest."""
        resumable = self._etag is not None
        try:
            with self._opener(self._received if resumable else 0, self._etag) as body:
                if body.start == 0:
                    self._begin(body)
                elif body.total != self._total:
                    raise RangeNotSupported(
                        f"expected the rest of {self._total} bytes of {self._source}, "
                        f"found one of {body.total}",
                        "try again",
                    )
                self._receive(body)
        except RangeNotSupported:
            self._forget()
            raise
        self._require_whole(body)

    def _begin(self, body: Body) -> None:
        self._forget()
        self.headers, self._total, self._etag = body.headers, body.total, body.etag
        checksum = checksum_of(body.headers)
        self._checksum = ThreadedChecksum(checksum, self._pool) if checksum else None

    def _forget(self) -> None:
        self._received, self._etag = 0, None
        self._handle.seek(0)
        self._handle.truncate()

    def _receive(self, body: Body) -> None:
        watch = _SpeedWatch(self._source, self._terms)
        while chunk := body.read():
            self._terms.deadline.check(STEP)
            self._handle.write(chunk)
            if self._checksum:
                self._checksum.update(chunk)
            self._received += len(chunk)
            watch.saw(len(chunk))
            self.progress.update(self._received, self._total)

    def _require_whole(self, body: Body) -> None:
        if self._total is not None and self._received != self._total:
            raise FetchInterrupted(
                f"expected {self._total} bytes of {self._source}, found {self._received}",
                "the transfer was cut short: try again",
            )
        if self._checksum and not self._checksum.holds():
            self._forget()
            raise FetchInterrupted(
                f"expected bytes of the {self._checksum} from {self._source}, found others",
                "the transfer was corrupted: try again",
            )
        if self._total is None and not self._checksum and not body.ends_itself:
            raise FetchFailed(
                f"expected the length of {self._source}, found an answer without one: whether "
                "all of it arrived cannot be known",
                "serve it with the header Content-Length, as every file server does",
            )


class _SpeedWatch:
    """Breaks off what only drips: the next connection may be better."""

    def __init__(self, source: str, policy: TransferPolicy) -> None:
        self._source = source
        self._slowest = policy.timeouts.slowest
        self._seconds = max(policy.request_timeouts(STEP)[1], _SHORTEST_WATCH_SECONDS)
        self._since, self._bytes = time.monotonic(), 0

    def saw(self, count: int) -> None:
        self._bytes += count
        spent = time.monotonic() - self._since
        if spent < self._seconds:
            return
        if self._bytes < self._slowest * spent:
            raise FetchInterrupted(
                f"expected {self._source}, found only {self._bytes} bytes in {spent:.0f} s",
                "the server or the network is slow: try again later",
            )
        self._since, self._bytes = time.monotonic(), 0
