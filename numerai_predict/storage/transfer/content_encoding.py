"""Decodes the `Content-Encoding` of downloads."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from numerai_predict.contract.errors import FetchFailed
from numerai_predict.storage.files import part_beside
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.transfer.size_limits import UNPACKED_VARIABLE, SizeCheck
from numerai_predict.storage.transfer.transfer_progress import TransferProgress

_CHUNK_BYTES = 1024 * 1024
_GZIP_SUFFIXES = (".gz", ".gzip", ".tgz")


def decode_into_place(
    part: Path, target: Path, encoding: str, source: str, policy: TransferPolicy
) -> None:
    """Move the downloaded part to the target, decoded if it was encoded for the transfer.

    A target whose name ends in `.gz` stays compressed: the encoding is that of the file.

    Raises:
        FetchFailed: the encoding is unknown, the bytes are invalid, or they unpack to too many.
        DeadlinePassed: the time for the whole run is over.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity", "aws-chunked") or target.name.endswith(_GZIP_SUFFIXES):
        part.replace(target)
        return
    if encoding not in ("gzip", "x-gzip"):
        raise FetchFailed(
            f"expected {source} without an encoding, found Content-Encoding {encoding[:40]}",
            "store it without an encoding, or with gzip",
        )
    with part_beside(target) as plain:
        _gunzip(part, plain, source, policy)
        plain.replace(target)


class _EncodedFile:
    """The encoded bytes; each read checks the deadline and shows how many have been unpacked.

    Gzip reads any number of empty members before it returns a byte.
    """

    def __init__(self, file: BinaryIO, policy: TransferPolicy, progress: TransferProgress) -> None:
        self._file = file
        self._policy = policy
        self._progress = progress
        self._total = os.fstat(file.fileno()).st_size

    def read(self, size: int) -> bytes:
        self._policy.deadline.check("fetch")
        self._progress.update(self._file.tell(), self._total)
        return self._file.read(size)


def _gunzip(encoded: Path, plain: Path, source: str, policy: TransferPolicy) -> None:
    progress = TransferProgress(f"unpacking {source}", policy)
    check = SizeCheck.of(UNPACKED_VARIABLE, f"{source}, unpacked,", plain.parent)
    try:
        with open(encoded, "rb") as file, open(plain, "wb") as writer:
            reader = gzip.GzipFile(
                fileobj=cast(BinaryIO, _EncodedFile(file, policy, progress)), mode="rb"
            )
            while chunk := reader.read(_CHUNK_BYTES):
                check.update(writer.tell() + len(chunk))
                writer.write(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise FetchFailed(
            f"expected {source} in gzip as its Content-Encoding says, found invalid gzip data",
            "upload the file again",
        ) from None
    finally:
        progress.end()
