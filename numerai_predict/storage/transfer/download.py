"""Downloads: the target file is complete and verified, or does not exist."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.storage.files import part_beside
from numerai_predict.storage.hard_timeout import stop_if_abandoned
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.transfer.checksums import ThreadedChecksum, checksum_of
from numerai_predict.storage.transfer.content_encoding import decode_into_place
from numerai_predict.storage.transfer.size_limits import FETCHED_VARIABLE, SizeCheck
from numerai_predict.storage.transfer.transfer_progress import TransferProgress

STEP = "fetch"

_SHORTEST_WINDOW_SECONDS = 1.0


@dataclass(frozen=True)
class Body:
    """The body of a response: the bytes of the whole object from `start` on.

    `read` returns the next bytes, none at the end. `total` is the length of the whole object.
    `ends_itself` is true if a truncated body is detected without a length (chunked encoding).
    """

    read: Callable[[], bytes]
    headers: Mapping[str, str]
    start: int = 0
    total: int | None = None
    ends_itself: bool = False

    @property
    def etag(self) -> str | None:
        """The strong ETag, which identifies these bytes; `None` for a weak or missing one."""
        etag = self.headers.get("ETag", "")
        return etag if etag.startswith('"') else None


class RangeNotSupported(FetchInterrupted):
    """The server cannot resume the transfer: the next attempt starts again."""


class Opener(Protocol):
    """Requests an object's bytes from `start` on, of the version with that `etag`.

    The response may begin at 0 anyway: then the object has changed, or its server does
    not support ranges.
    """

    def __call__(self, start: int, etag: str | None) -> AbstractContextManager[Body]:
        """The body of the response, open for the time of the block."""


def download(
    opener: Opener, target: Path, source: str, policy: TransferPolicy
) -> Mapping[str, str]:
    """Download to `target`; returns the headers of the response.

    An interrupted transfer is resumed if the server confirms by ETag that the object is the
    same. A partial file of another run is never used.

    Raises:
        FetchFailed: the server refuses, or the object is too large for its limit or the disk.
        FetchInterrupted: after all attempts no connection, an aborted, truncated or corrupt
            transfer, or a busy server.
        DeadlinePassed: the time for the whole run is over.
    """
    with part_beside(target) as part:
        with open(part, "r+b") as handle, ThreadPoolExecutor(1) as pool:
            check = SizeCheck.of(FETCHED_VARIABLE, source, target.parent)
            transfer = _Transfer(opener, handle, pool, source, policy, check)
            try:
                policy.repeat(transfer.attempt, STEP)
            finally:
                transfer.progress.end()
        encoding = transfer.headers.get("Content-Encoding", "")
        decode_into_place(part, target, encoding, source, policy)
    return transfer.headers


class _Transfer:
    """The transfer of one object into one file, over several attempts."""

    def __init__(
        self,
        opener: Opener,
        handle: BinaryIO,
        pool: Executor,
        source: str,
        policy: TransferPolicy,
        size_check: SizeCheck,
    ) -> None:
        self.headers: Mapping[str, str] = {}
        self.progress = TransferProgress(source, policy)
        self._opener = opener
        self._handle = handle
        self._pool = pool
        self._source = source
        self._policy = policy
        self._size_check = size_check
        self._received = 0
        self._total: int | None = None
        self._etag: str | None = None
        self._checksum: ThreadedChecksum | None = None

    def attempt(self) -> None:
        """Receive the rest if it can be resumed, otherwise the whole object."""
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
            self._discard()
            raise
        self._require_whole(body)

    def _begin(self, body: Body) -> None:
        self._discard()
        self._size_check.announce(body.total)
        self.headers, self._total, self._etag = body.headers, body.total, body.etag
        checksum = checksum_of(body.headers)
        self._checksum = ThreadedChecksum(checksum, self._pool) if checksum else None

    def _discard(self) -> None:
        self._received, self._etag = 0, None
        self._handle.seek(0)
        self._handle.truncate()

    def _receive(self, body: Body) -> None:
        speed = _SpeedCheck(self._source, self._policy)
        while chunk := body.read():
            self._policy.deadline.check(STEP)
            stop_if_abandoned()
            self._size_check.update(self._received + len(chunk))
            self._handle.write(chunk)
            if self._checksum:
                self._checksum.update(chunk)
            self._received += len(chunk)
            speed.add(len(chunk))
            self.progress.update(self._received, self._total)

    def _require_whole(self, body: Body) -> None:
        if self._total is not None and self._received != self._total:
            raise FetchInterrupted(
                f"expected {self._total} bytes of {self._source}, found {self._received}",
                "the transfer was truncated: try again",
            )
        if self._checksum and not self._checksum.holds():
            self._discard()
            raise FetchInterrupted(
                f"expected the {self._checksum} of {self._source}, found another checksum",
                "the transfer was corrupted: try again",
            )
        if self._total is None and not self._checksum and not body.ends_itself:
            raise FetchFailed(
                f"expected the length of {self._source}, found a response without one: it is "
                "unknown whether all of it arrived",
                "serve it with the header Content-Length, as file servers do",
            )


class _SpeedCheck:
    """Aborts a transfer that is too slow: the next connection may be faster."""

    def __init__(self, source: str, policy: TransferPolicy) -> None:
        self._source = source
        self._slowest = policy.timeouts.slowest
        self._seconds = max(policy.request_timeouts(STEP)[1], _SHORTEST_WINDOW_SECONDS)
        self._since, self._bytes = time.monotonic(), 0

    def add(self, count: int) -> None:
        self._bytes += count
        elapsed = time.monotonic() - self._since
        if elapsed < self._seconds:
            return
        if self._bytes < self._slowest * elapsed:
            raise FetchInterrupted(
                f"expected {self._source}, found only {self._bytes} bytes in {elapsed:.0f} s",
                "the server or the network is slow: try again later",
            )
        self._since, self._bytes = time.monotonic(), 0
