"""Decompression of a file that may be hostile: bounded in time and memory.

A small file can contain millions of empty members, demand a decoder of gigabytes, or unpack to
terabytes. Every read of the compressed file checks the time limit, and every read of the
decompressed bytes returns at most what was asked for.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from numerai_predict.inspection.compression import only_member, suffix_of
from numerai_predict.inspection.limits import InspectionLimitExceeded, TimeLimit

# A list of files of this size has thousands: no more are read at once.
_MAX_READ_BYTES = 1024 * 1024
_XZ_READ_BYTES = 32 * 1024
# Preset 9 of xz needs 65 MiB.
_MAX_DECODER_BYTES = 128 * 1024 * 1024
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@contextmanager
def open_bounded(path: str, limit: TimeLimit) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed as the suffix of its name says.

    Raises:
        InspectionLimitExceeded: decompressing it takes too much time or memory; also raised
            by reads.
        OSError, EOFError, ValueError, RuntimeError, lzma.LZMAError, zipfile.BadZipFile,
        zstandard.ZstdError: the file does not have the format that its suffix names.
    """
    with _CheckedFile(path, limit) as file:
        opener = _OPENERS.get(suffix_of(path))
        if opener is None:
            yield cast(BinaryIO, file)
            return
        with opener(file) as handle:
            yield handle


class _CheckedFile(io.FileIO):
    """A file whose reads check the time limit."""

    def __init__(self, path: str, limit: TimeLimit) -> None:
        super().__init__(path)
        self._limit = limit

    def readinto(self, buffer: bytearray | memoryview, /) -> int | None:  # type: ignore[override]
        self._limit.check()
        return super().readinto(buffer)

    def read(self, size: int | None = -1, /) -> bytes:
        self._limit.check()
        if size is None or size < 0:
            size = _MAX_READ_BYTES + 1
        data = super().read(min(size, _MAX_READ_BYTES + 1)) or b""
        if len(data) > _MAX_READ_BYTES:
            raise ValueError("expected one file in the zip archive, found a long list of files")
        return data


class _XzReader(io.RawIOBase):
    """Decompresses xz with a limit on the decoder's memory, which `lzma.open` does not take."""

    def __init__(self, file: _CheckedFile) -> None:
        self._file = file
        self._is_first = True
        self._start(file.read(_XZ_READ_BYTES))

    def _start(self, data: bytes) -> None:
        self._decoder = lzma.LZMADecompressor(memlimit=_MAX_DECODER_BYTES)
        self._stream_start = self._input = data

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end of the last stream."""
        while not self._decoder.eof or self._next_stream():
            data, self._input = self._input, b""
            if self._decoder.needs_input and not data:
                data = self._file.read(_XZ_READ_BYTES)
                if not data:
                    raise EOFError("the xz data ends before its end marker")
            try:
                output = self._decoder.decompress(data, size)
            except lzma.LZMAError:
                if self._needs_more_memory():
                    raise InspectionLimitExceeded(
                        "the memory limit was exceeded by the decoder of its xz data"
                    ) from None
                if self._is_first:
                    raise
                return b""  # other bytes after the last stream are ignored, as `lzma` does
            if output:
                return output
        return b""

    def _next_stream(self) -> bool:
        data = self._decoder.unused_data or self._file.read(_XZ_READ_BYTES)
        if data:
            self._is_first = False
            self._start(data)
        return bool(data)

    def _needs_more_memory(self) -> bool:
        """Whether a decoder without a limit accepts the start of the stream, unlike this one."""
        start = self._stream_start
        return not _is_accepted(start, _MAX_DECODER_BYTES) and _is_accepted(start, None)


def _is_accepted(start: bytes, memory_limit: int | None) -> bool:
    try:
        lzma.LZMADecompressor(memlimit=memory_limit).decompress(start, 1)
    except lzma.LZMAError:
        return False
    return True


def _open_gzip(file: _CheckedFile) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))


def _open_bz2(file: _CheckedFile) -> BinaryIO:
    return cast(BinaryIO, bz2.open(file))


def _open_xz(file: _CheckedFile) -> BinaryIO:
    return cast(BinaryIO, _XzReader(file))


def _open_zstandard(file: _CheckedFile) -> BinaryIO:
    import zstandard  # not in the standard library before Python 3.14

    return cast(BinaryIO, zstandard.open(file, "rb", closefd=False))


def _open_zip(file: _CheckedFile) -> BinaryIO:
    with zipfile.ZipFile(file) as archive:
        member = only_member(archive)
        if member.compress_type not in _ZIP_METHODS:
            # `zipfile` unpacks other methods without a limit on the size.
            raise InspectionLimitExceeded("its zip archive uses another compression than deflate")
        return cast(BinaryIO, archive.open(member))


_OPENERS: dict[str, Callable[[_CheckedFile], BinaryIO]] = {
    "gz": _open_gzip,
    "bz2": _open_bz2,
    "xz": _open_xz,
    "zst": _open_zstandard,
    "zip": _open_zip,
}
