"""What a server says of an object's bytes, against the bytes that came.

S3 sends `x-amz-checksum-*` where it was asked to or the object has one, and the MD5
as the ETag of an object that came in one part and is not encrypted with a key of its
own. CRC32C and CRC64NVME are left out: nothing here computes them in reasonable time.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Protocol

_BATCH_BYTES = 4 * 1024 * 1024
_HASHES = ("sha256", "sha1", "sha512", "md5")
_PREFIX = "x-amz-checksum-"
_MD5_ETAG = re.compile(r'"([0-9a-fA-F]{32})"')


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


@dataclass
class Checksum:
    """One promise about the bytes, and the digest of those that came so far."""

    name: str
    promised: bytes
    _digest: _Digest = field(repr=False)

    def update(self, data: bytes) -> None:
        """Take in the next bytes."""
        self._digest.update(data)

    def holds(self) -> bool:
        """Whether the bytes so far are those that were promised."""
        return self._digest.digest() == self.promised

    def __str__(self) -> str:
        return f"{self.name} {self.promised.hex()}"


class ThreadedChecksum:
    """A checksum that is computed in another thread, while the next bytes come.

    It is at most one batch behind: a slow hash slows the transfer down, and bytes do
    not pile up.
    """

    def __init__(self, checksum: Checksum, pool: Executor) -> None:
        self._checksum = checksum
        self._pool = pool
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._hashing: Future[None] | None = None

    def update(self, data: bytes) -> None:
        """Take in the next bytes."""
        self._batch.append(data)
        self._batch_bytes += len(data)
        if self._batch_bytes >= _BATCH_BYTES:
            self._hash()

    def holds(self) -> bool:
        """Whether the bytes so far are those that were promised."""
        self._hash()
        self._catch_up()
        return self._checksum.holds()

    def __str__(self) -> str:
        return str(self._checksum)

    def _hash(self) -> None:
        self._catch_up()
        self._hashing = self._pool.submit(self._consume, self._batch)
        self._batch, self._batch_bytes = [], 0

    def _catch_up(self) -> None:
        if self._hashing is not None:
            self._hashing.result()

    def _consume(self, batch: list[bytes]) -> None:
        for data in batch:
            self._checksum.update(data)


def checksum_of(headers: Mapping[str, str]) -> Checksum | None:
    """The first promise of the headers of a whole object that can be kept track of."""
    for name in ("crc32", *_HASHES):
        promised = _decoded(headers.get(f"{_PREFIX}{name}", ""))
        if promised:
            digest = _Crc32() if name == "crc32" else hashlib.new(name, usedforsecurity=False)
            return Checksum(name.upper(), promised, digest)
    etag = _MD5_ETAG.fullmatch(headers.get("ETag", ""))
    if etag and _is_s3(headers) and not _is_encrypted(headers):
        digest = hashlib.md5(usedforsecurity=False)
        return Checksum("MD5", bytes.fromhex(etag[1]), digest)
    return None


def _decoded(text: str) -> bytes:
    """The bytes of base64; none of a composite checksum, like `AAAAAA==-3`, of many parts."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _is_s3(headers: Mapping[str, str]) -> bool:
    """Other servers put into an ETag of the same form what they like."""
    return any(name.lower().startswith("x-amz-") for name in headers)


def _is_encrypted(headers: Mapping[str, str]) -> bool:
    kind = headers.get("x-amz-server-side-encryption", "")
    own_key = "x-amz-server-side-encryption-customer-algorithm" in headers
    return own_key or kind.startswith("aws:kms")
