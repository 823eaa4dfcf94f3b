"""What a file is, told from its bytes and its name, without unpickling it."""

import bz2
import gzip
import io
import lzma
import pickle
import subprocess
import sys
import zipfile

import pytest
import zstandard

from numerai_predict.inspection.compression import open_decompressed
from numerai_predict.inspection.file_type import describe_file


def zipped(*names):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"\n\n\n", "text that begins ''"),
        (b"hello\nworld", "text that begins 'hello'"),
        (b"import pandas as pd\n" * 50, "text that begins 'import pandas as pd'"),
        ("übergroß ".encode() * 60, "text that begins 'übergroß"),
        (b"  <html><body>", "a web page or a server's error"),
        (b"<?xml version='1.0'?><Error>", "a web page or a server's error"),
        (b"<!DOCTYPE html>", "a web page or a server's error"),
        (zipped("a"), "a zip archive"),
        (gzip.compress(b"x"), "gzip data"),
        (bz2.compress(b"x"), "bzip2 data"),
        (lzma.compress(b"x"), "xz data"),
        (zstandard.ZstdCompressor().compress(b"x"), "zstandard data"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"PAR1\x15\x04", "a parquet file"),
        (b"\x7fELF\x02", "a program"),
        (pickle.dumps({})[:-1], "a broken pickle"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09", "bytes that begin 00 01 02 03 04 05 06 07"),
    ],
    ids=lambda value: repr(value)[:20] if isinstance(value, bytes) else None,
)
def test_a_file_is_told_by_its_first_bytes(tmp_path, data, words):
    (tmp_path / "file").write_bytes(data)
    assert describe_file(tmp_path / "file").startswith(words)


COMPRESSED = {
    "x.pkl": b"content",
    "x": b"content",
    "x.gz.pkl": b"content",
    "x.pkl.gz": gzip.compress(b"content"),
    "x.pkl.GZ": gzip.compress(b"content"),
    "x.bz2": bz2.compress(b"content"),
    "x.xz": lzma.compress(b"content"),
    "x.zst": zstandard.ZstdCompressor().compress(b"content"),
    "x.zip": zipped("inner"),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_file_is_decompressed_as_its_ending_says(tmp_path, name):
    (tmp_path / name).write_bytes(COMPRESSED[name])
    with open_decompressed(str(tmp_path / name)) as handle:
        assert handle.read() == b"content"


@pytest.mark.parametrize("name", ["x.gz", "x.bz2", "x.xz", "x.zst", "x.zip"])
def test_a_file_that_is_not_what_its_ending_says_raises(tmp_path, name):
    (tmp_path / name).write_bytes(b"plain bytes")
    errors = (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, zstandard.ZstdError)
    with pytest.raises(errors), open_decompressed(str(tmp_path / name)) as handle:
        handle.read()


@pytest.mark.parametrize("names", [(), ("a", "b")])
def test_an_archive_of_more_or_less_than_one_file_is_refused(tmp_path, names):
    (tmp_path / "x.zip").write_bytes(zipped(*names))
    with (
        pytest.raises(ValueError, match=f"found {len(names)}"),
        open_decompressed(str(tmp_path / "x.zip")),
    ):
        pass


def test_the_inspection_needs_the_standard_library_alone():
    code = (
        "import sys, numerai_predict.inspection.compression, numerai_predict.inspection.file_type; "
        "print(sorted({'numpy', 'pandas', 'zstandard', 'requests'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert ended.stdout == b"[]\n"
