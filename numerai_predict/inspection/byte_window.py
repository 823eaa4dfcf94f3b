"""A pickle's bytes from first to last: all at once in a memory map, or piece by piece.

Of a compressed file only a window is in memory; what lies behind it is gone.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from numerai_predict.inspection.compression import is_compressed, open_decompressed
from numerai_predict.inspection.placeholders import Blob

_PIECE_BYTES = 1024 * 1024
# So many bytes are in the window when an opcode is read; no fixed argument is longer.
_LOOKAHEAD_BYTES = 16
_HEAD_BYTES = 64 * 1024
_FORGOTTEN_BYTES = 32 * 1024 * 1024
# The code of a function is seldom longer: of small payloads all is kept to the end.
_CODE_BYTES = 4 * 1024
_MOST_HEAD_BYTES = 16 * 1024 * 1024


class Truncated(Exception):
    """The file ends within an opcode, or before the last one."""


class ByteWindow:
    """Bytes by position: `data[at]`, as long as `at` stays below `edge`.

    Positions move when the window does, so every method takes one and returns one.
    """

    def __init__(self, data: bytes | mmap.mmap, rest: BinaryIO | None = None) -> None:
        self.data = data
        self._rest = rest
        self._heads_bytes = 0
        self._before = 0
        self._forgotten = 0
        self._measure()

    def _measure(self) -> None:
        self.size = len(self.data)
        self.edge = self.size - (_LOOKAHEAD_BYTES if self._rest else 0)

    def offset(self, at: int) -> int:
        """The position in the whole file."""
        return self._before + at

    def forget(self, at: int) -> None:
        """Give the pages of a memory map back that lie behind; they can be read again."""
        if isinstance(self.data, mmap.mmap) and at - self._forgotten > _FORGOTTEN_BYTES:
            self.data.madvise(mmap.MADV_DONTNEED, 0, at - at % mmap.PAGESIZE)
            self._forgotten = at

    def reach(self, at: int, count: int) -> int:
        """Have `count` bytes from `at` on in the window.

        Raises:
            Truncated: there are fewer.
        """
        while self.size - at < count:
            if not self._rest:
                raise Truncated
            at = self._slide(at, max(_PIECE_BYTES, count - (self.size - at)))
        return at

    def look_ahead(self, at: int) -> int:
        """Have an opcode and its fixed arguments in the window, or the file's end.

        Raises:
            Truncated: nothing is left.
        """
        if self._rest and self.size - at < _LOOKAHEAD_BYTES:
            at = self._slide(at, _PIECE_BYTES)
        if at >= self.size:
            raise Truncated
        return at

    def _slide(self, at: int, count: int) -> int:
        assert self._rest
        # A declared length may be a lie: no more is asked for at once than a piece.
        more = self._rest.read(min(count, _PIECE_BYTES))
        self._before += at
        self.data = self.data[at:] + more
        if not more:
            self._rest = None
        self._measure()
        return 0

    def line(self, at: int) -> tuple[bytes, int]:
        """The bytes up to a line's end, without it, and the position after it.

        Raises:
            Truncated: no line ends within the next megabyte.
        """
        end = self.data.find(b"\n", at, at + _PIECE_BYTES)
        if end < 0 and self._rest:
            at = self._slide(at, _PIECE_BYTES)
            end = self.data.find(b"\n", at, at + _PIECE_BYTES)
        if end < 0:
            raise Truncated
        return self.data[at:end], end + 1

    def blob(self, at: int, size: int) -> tuple[Blob, int]:
        """A payload, skipped: where it lies and its beginning; the position after it.

        Raises:
            Truncated: the file is shorter.
        """
        if not self._rest:
            self.reach(at, size)
            return Blob(size, b"", self._loader(at)), at + size
        kept = min(size, _HEAD_BYTES if self._heads_bytes < _MOST_HEAD_BYTES else _CODE_BYTES)
        self._heads_bytes += kept
        at = self.reach(at, kept)
        head = self.data[at : at + kept]
        return Blob(size, head, _nothing), self._skip(at, size)

    def _loader(self, at: int) -> _Loader:
        return _Loader(self.data, at)

    def _skip(self, at: int, size: int) -> int:
        while size > self.size - at:
            size -= self.size - at
            at = self.reach(self.size, 1)
        return at + size


class _Loader:
    def __init__(self, data: bytes | mmap.mmap, at: int) -> None:
        self._data, self._at = data, at

    def __call__(self, start: int, size: int) -> bytes:
        return self._data[self._at + start : self._at + start + size]


def _nothing(_start: int, _size: int) -> None:
    return None


@contextmanager
def open_window(path: str) -> Iterator[ByteWindow]:
    """The file's bytes, decompressed where its name says so.

    Raises:
        OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile,
        zlib.error, zstandard.ZstdError: the file cannot be read, or is not what its
        name says; also while the window moves.
    """
    with open_decompressed(path) as handle:
        if is_compressed(path):
            yield ByteWindow(b"", handle)
            return
        try:
            mapped = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError, io.UnsupportedOperation):  # empty, or no plain file
            yield ByteWindow(b"", handle)
            return
        with mapped:
            yield ByteWindow(mapped)
