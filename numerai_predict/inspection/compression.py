"""Open compressed files by the suffix of their name, as `pandas.read_pickle` infers it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast


class UnusableArchive(ValueError):
    """A zip archive that does not hold exactly one file; its text quotes none of its bytes."""


@contextmanager
def open_decompressed(path: str) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed where its name ends in gz, bz2, xz, zst or zip.

    Raises:
        OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile,
        zstandard.ZstdError: the file does not have the format that its suffix names.
    """
    with _OPENERS.get(suffix_of(path), _open_plain)(path) as handle:
        yield handle


def is_compressed(path: str) -> bool:
    """Whether the file's name has the suffix of a compression format."""
    return suffix_of(path) in _OPENERS


def suffix_of(path: str) -> str:
    """The last suffix of the file's name, in lower case and without the dot."""
    return path.rpartition(".")[2].lower()


def only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The only file of a zip archive, apart from directories and what macOS adds.

    Its name is never used as a path, so that `../` and links in it have no effect.

    Raises:
        UnusableArchive: it has more or fewer files.
    """
    members = [member for member in archive.infolist() if not _is_additional(member)]
    if len(members) != 1:
        raise UnusableArchive(f"expected one file in the zip archive, found {len(members)}")
    return members[0]


def _is_additional(member: zipfile.ZipInfo) -> bool:
    """Whether it is a directory, or a file of the Finder's: `__MACOSX/._x`, `._x`, `.DS_Store`."""
    parts = member.filename.split("/")
    return member.is_dir() or "__MACOSX" in parts or parts[-1].startswith(("._", ".DS_Store"))


def _open_plain(path: str) -> BinaryIO:
    return open(path, "rb")


def _open_gzip(path: str) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path))


def _open_bz2(path: str) -> BinaryIO:
    return cast(BinaryIO, bz2.open(path))


def _open_xz(path: str) -> BinaryIO:
    return cast(BinaryIO, lzma.open(path))


def _open_zstandard(path: str) -> BinaryIO:
    import zstandard  # not in the standard library before Python 3.14

    # Its reader has no lines, which pickles of protocol 0 consist of, and stops after one frame.
    file = open(path, "rb")  # noqa: SIM115 - closed with the reader
    reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=True)
    return cast(BinaryIO, io.BufferedReader(reader))


def _open_zip(path: str) -> BinaryIO:
    with zipfile.ZipFile(path) as archive:
        return cast(BinaryIO, archive.open(only_member(archive)))


_OPENERS: dict[str, Callable[[str], BinaryIO]] = {
    "gz": _open_gzip,
    "bz2": _open_bz2,
    "xz": _open_xz,
    "zst": _open_zstandard,
    "zip": _open_zip,
}
