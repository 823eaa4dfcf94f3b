"""Checksums of downloads, against those in the response headers.

S3 sends `x-amz-checksum-*` where the request or the object has one. The ETag of an object that
was uploaded in one part, without a customer-provided encryption key, is its MD5. CRC32C and
CRC64NVME are not checked: pure Python computes them too slowly.
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
    """The expected checksum of an object, and the digest of the bytes received so far."""

    name: str
    expected: bytes
    _digest: _Digest = field(repr=False)

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        self._digest.update(data)

    def holds(self) -> bool:
        """Whether the bytes so far have the expected checksum."""
        return self._digest.digest() == self.expected

    def __str__(self) -> str:
        return f"{self.name} {self.expected.hex()}"


class ThreadedChecksum:
    """A checksum that is computed in another thread while the next bytes arrive.

    It is at most one batch behind: a slow hash slows the transfer down instead of
    accumulating bytes in memory.
    """

    def __init__(self, checksum: Checksum, pool: Executor) -> None:
        self._checksum = checksum
        self._pool = pool
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._hashing: Future[None] | None = None

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        self._batch.append(data)
        self._batch_bytes += len(data)
        if self._batch_bytes >= _BATCH_BYTES:
            self._hash()

    def holds(self) -> bool:
        """Whether the bytes so far have the expected checksum."""
        self._hash()
        self._wait()
        return self._checksum.holds()

    def __str__(self) -> str:
        return str(self._checksum)

    def _hash(self) -> None:
        self._wait()
        self._hashing = self._pool.submit(self._consume, self._batch)
        self._batch, self._batch_bytes = [], 0

    def _wait(self) -> None:
        if self._hashing is not None:
            self._hashing.result()

    def _consume(self, batch: list[bytes]) -> None:
        for data in batch:
            self._checksum.update(data)


def checksum_of(headers: Mapping[str, str]) -> Checksum | None:
    """The first checksum in the headers of a whole object that is supported; else `None`."""
    for name in ("crc32", *_HASHES):
        expected = _decode(headers.get(f"{_PREFIX}{name}", ""))
        if expected:
            digest = _Crc32() if name == "crc32" else hashlib.new(name, usedforsecurity=False)
            return Checksum(name.upper(), expected, digest)
    etag = _MD5_ETAG.fullmatch(headers.get("ETag", ""))
    if etag and _is_s3(headers) and not _is_encrypted(headers):
        digest = hashlib.md5(usedforsecurity=False)
        return Checksum("MD5", bytes.fromhex(etag[1]), digest)
    return None


def _decode(text: str) -> bytes:
    """Decode base64; empty for a composite checksum of a multipart upload, like `AAAAAA==-3`."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _is_s3(headers: Mapping[str, str]) -> bool:
    """Whether S3 sent the headers: an ETag of other servers may look like an MD5."""
    return any(name.lower().startswith("x-amz-") for name in headers)


def _is_encrypted(headers: Mapping[str, str]) -> bool:
    kind = headers.get("x-amz-server-side-encryption", "")
    own_key = "x-amz-server-side-encryption-customer-algorithm" in headers
    return own_key or kind.startswith("aws:kms")
