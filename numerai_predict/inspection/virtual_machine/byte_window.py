"""A forward-only view of a pickle's bytes: a memory map, or a sliding window.

A plain file is memory-mapped. Of a compressed file only a window is in memory: bytes before
the window are no longer available.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from numerai_predict.inspection.compression import is_compressed
from numerai_predict.inspection.limits import TimeLimit
from numerai_predict.inspection.placeholders import Blob
from numerai_predict.inspection.virtual_machine.bounded_decompression import open_bounded

_CHUNK_BYTES = 1024 * 1024
# Bytes available when an opcode is read; no fixed-size argument is longer.
_LOOKAHEAD_BYTES = 16
_HEAD_BYTES = 64 * 1024
_RELEASE_BYTES = 32 * 1024 * 1024
# A function's code is rarely longer: payloads up to this size are always kept whole.
_CODE_BYTES = 4 * 1024
_MAX_HEAD_BYTES = 16 * 1024 * 1024


class Truncated(Exception):
    """The file ends inside an opcode, or before the `STOP` opcode."""


class ByteWindow:
    """Bytes by position: `data[position]` is valid while `position < edge`.

    `stream` supplies the bytes after `data`; `None` if `data` holds the whole file. Positions
    are relative to the window and change when it slides, so methods that may slide take a
    position and return the new one.
    """

    def __init__(
        self, data: bytes | mmap.mmap, limit: TimeLimit, stream: BinaryIO | None = None
    ) -> None:
        self.data = data
        self._limit = limit
        self._stream = stream
        self._kept_head_bytes = 0
        self._dropped_bytes = 0
        self._released_until = 0
        self._measure()

    def _measure(self) -> None:
        self.size = len(self.data)
        self.edge = self.size - (_LOOKAHEAD_BYTES if self._stream else 0)

    def offset(self, position: int) -> int:
        """The position as an offset from the start of the file."""
        return self._dropped_bytes + position

    def release(self, position: int) -> None:
        """Release the memory map's pages before the position; they can still be read again."""
        if isinstance(self.data, mmap.mmap) and position - self._released_until > _RELEASE_BYTES:
            self.data.madvise(mmap.MADV_DONTNEED, 0, position - position % mmap.PAGESIZE)
            self._released_until = position

    def reach(self, position: int, count: int) -> int:
        """Ensure that `count` bytes from `position` on are in the window; the new position.

        Raises:
            Truncated: the file has fewer bytes.
        """
        while self.size - position < count:
            if not self._stream:
                raise Truncated
            position = self._slide(position, max(_CHUNK_BYTES, count - (self.size - position)))
        return position

    def look_ahead(self, position: int) -> int:
        """Ensure that an opcode and its fixed-size argument are in the window; the new position.

        Raises:
            Truncated: no bytes are left.
        """
        if self._stream and self.size - position < _LOOKAHEAD_BYTES:
            position = self._slide(position, _CHUNK_BYTES)
        if position >= self.size:
            raise Truncated
        return position

    def _slide(self, position: int, count: int) -> int:
        assert self._stream
        self._limit.check()
        # A declared length may be false: never allocate more than one chunk at once.
        chunk = self._stream.read(min(count, _CHUNK_BYTES))
        self._dropped_bytes += position
        self.data = self.data[position:] + chunk
        if not chunk:
            self._stream = None
        self._measure()
        return 0

    def line(self, position: int) -> tuple[bytes, int]:
        """The bytes up to the next newline, without it, and the position after it.

        Raises:
            Truncated: there is no newline within the next megabyte.
        """
        line, position = self.skippable_line(position)
        if line is None:
            raise Truncated
        return line, position

    def skippable_line(self, position: int) -> tuple[bytes | None, int]:
        """As `line`, for a payload: `None` in place of more than a megabyte, which is skipped.

        Raises:
            Truncated: there is no newline.
        """
        end = self.data.find(b"\n", position, position + _CHUNK_BYTES)
        if end < 0 and self._stream:
            position = self._slide(position, _CHUNK_BYTES)
            end = self.data.find(b"\n", position, position + _CHUNK_BYTES)
        if end >= 0:
            return self.data[position:end], end + 1
        while (end := self.data.find(b"\n", position)) < 0:
            if not self._stream:
                raise Truncated
            position = self._slide(self.size, _CHUNK_BYTES)
        return None, end + 1

    def blob(self, position: int, size: int) -> tuple[Blob, int]:
        """A placeholder for a payload, which is skipped, and the position after it.

        Raises:
            Truncated: the file ends inside the payload.
        """
        if not self._stream:
            self.reach(position, size)
            return Blob(size, b"", self._blob_loader(position)), position + size
        kept = min(size, _HEAD_BYTES if self._kept_head_bytes < _MAX_HEAD_BYTES else _CODE_BYTES)
        self._kept_head_bytes += kept
        position = self.reach(position, kept)
        head = self.data[position : position + kept]
        return Blob(size, head, _load_nothing), self._skip(position, size)

    def _blob_loader(self, position: int) -> _BlobLoader:
        return _BlobLoader(self.data, position)

    def _skip(self, position: int, size: int) -> int:
        while size > self.size - position:
            size -= self.size - position
            position = self.reach(self.size, 1)
        return position + size


class _BlobLoader:
    def __init__(self, data: bytes | mmap.mmap, position: int) -> None:
        self._data, self._position = data, position

    def __call__(self, start: int, size: int) -> bytes:
        return self._data[self._position + start : self._position + start + size]


def _load_nothing(_start: int, _size: int) -> None:
    return None


@contextmanager
def open_window(path: str, limit: TimeLimit) -> Iterator[ByteWindow]:
    """Open the file as a window, decompressed if its name has a compression suffix.

    Raises:
        InspectionLimitExceeded: it cannot be decompressed within the limits.
        OSError, EOFError, ValueError, RuntimeError, lzma.LZMAError, zipfile.BadZipFile,
        zlib.error, zstandard.ZstdError: the file cannot be read, or does not have the
        format that its suffix names; also raised later, when the window slides.
    """
    with open_bounded(path, limit) as handle:
        if is_compressed(path):
            yield ByteWindow(b"", limit, handle)
            return
        try:
            mapped = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError, io.UnsupportedOperation):  # empty, or not a regular file
            yield ByteWindow(b"", limit, handle)
            return
        with mapped:
            yield ByteWindow(mapped, limit)
