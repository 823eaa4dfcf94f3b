"""Compressed files are opened by the suffix of their name."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest
import zstandard

from numerai_predict.inspection.compression import open_decompressed


def zipped(*names):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return target.getvalue()


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
def test_a_file_is_decompressed_as_its_suffix_says(tmp_path, name):
    (tmp_path / name).write_bytes(COMPRESSED[name])
    with open_decompressed(str(tmp_path / name)) as handle:
        assert handle.read() == b"content"


@pytest.mark.parametrize("name", ["x.gz", "x.bz2", "x.xz", "x.zst", "x.zip"])
def test_a_file_of_another_format_than_its_suffix_raises(tmp_path, name):
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


def test_the_lines_of_a_zstandard_file_are_read_across_its_frames(tmp_path):
    path = tmp_path / "x.zst"
    path.write_bytes(zstandard.compress(b"a line\nhalf ") + zstandard.compress(b"a line\n"))
    with open_decompressed(str(path)) as handle:
        assert list(handle) == [b"a line\n", b"half a line\n"]
