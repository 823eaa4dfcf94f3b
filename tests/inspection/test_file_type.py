"""Files that are not pickles are identified by their first bytes."""

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

from numerai_predict.inspection.file_type import describe_file


def zipped(*names):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "description"),
    [
        (b"", "an empty file"),
        (b"\n\n\n", "text"),
        (b"hello\nworld", "text"),
        (b"import pandas as pd\n" * 50, "text"),
        ("übergroß ".encode() * 60, "text"),
        (b"  <html><body>", "a web page or a server error"),
        (b"<?xml version='1.0'?><Error>", "a web page or a server error"),
        (b"<!DOCTYPE html>", "a web page or a server error"),
        (zipped("a"), "a zip archive"),
        (gzip.compress(b"x"), "gzip data"),
        (bz2.compress(b"x"), "bzip2 data"),
        (lzma.compress(b"x"), "xz data"),
        (zstandard.ZstdCompressor().compress(b"x"), "zstandard data"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"PAR1\x15\x04", "a parquet file"),
        (b"\x7fELF\x02", "a program"),
        (pickle.dumps({})[:-1], "a corrupt pickle"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09", "binary data of an unknown format"),
    ],
    ids=lambda value: repr(value)[:20] if isinstance(value, bytes) else None,
)
def test_a_file_is_identified_by_its_first_bytes(tmp_path, data, description):
    (tmp_path / "file").write_bytes(data)
    assert describe_file(tmp_path / "file").startswith(description)


def test_no_byte_of_the_file_is_quoted(tmp_path):
    for data in (b"SECRET text", b"\x00\x01SECRET", b"<html>SECRET"):
        (tmp_path / "file").write_bytes(data)
        assert "SECRET" not in describe_file(tmp_path / "file")


@pytest.mark.process
def test_the_inspection_needs_the_standard_library_alone():
    code = (
        "import sys, numerai_predict.inspection.compression, numerai_predict.inspection.file_type; "
        "print(sorted({'numpy', 'pandas', 'zstandard', 'requests'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert ended.stdout == b"[]\n"
