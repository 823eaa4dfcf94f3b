"""Zip archives: one file, whatever macOS adds to it; names in it are never paths."""

import contextlib
import gzip
import pickle
import stat
import zipfile

import pytest

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.child.model_loader import open_decompressed

PICKLE = pickle.dumps(len)


def archive(path, *names):
    with zipfile.ZipFile(path, "w") as zipped:
        for name in names:
            content = b"" if name.endswith("/") or "._" in name or "DS_Store" in name else PICKLE
            zipped.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "names",
    [
        ("m.pkl",),
        ("model/", "model/m.pkl", "__MACOSX/", "__MACOSX/model/._m.pkl", "model/.DS_Store"),
        ("m.pkl", "._m.pkl"),
        ("../../escape.pkl",),
        ("/etc/escape.pkl",),
    ],
)
def test_the_one_file_is_read_by_inspection_and_loader_and_nothing_is_extracted(tmp_path, names):
    path = archive(tmp_path / "m.zip", *names)
    assert inspect_pickle(path).size == path.stat().st_size
    with open_decompressed(str(path)) as handle:
        assert handle.read() == PICKLE
    assert list(tmp_path.rglob("*")) == [path]


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        link = zipfile.ZipInfo("m.pkl")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        zipped.writestr(link, "/etc/passwd")
    with pytest.raises(InvalidPickle) as failed:
        inspect_pickle(path)
    assert "root:" not in failed.value.message


@pytest.mark.parametrize("names", [(), ("a/",), ("a.pkl", "b.pkl"), ("__MACOSX/._x",)])
def test_an_archive_without_exactly_one_file_is_refused(tmp_path, names):
    with pytest.raises(InvalidPickle, match="expected one file in the zip archive, found"):
        inspect_pickle(archive(tmp_path / "m.zip", *names))


@pytest.mark.parametrize(
    "content", [b"ISECRET\n.", b"LSECRETL\n.", b"FSECRET\n.", b"S'SECRET\n.", b"\x80\x04SECRET"]
)
def test_no_byte_of_a_broken_file_is_in_the_message(tmp_path, content):
    for path in (tmp_path / "m.pkl", tmp_path / "m.pkl.gz", tmp_path / "m.pkl.xz"):
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        with contextlib.suppress(InvalidPickle), _quotes_nothing():
            inspect_pickle(path)


@contextlib.contextmanager
def _quotes_nothing():
    try:
        yield
    except InvalidPickle as error:
        if "SECRET" in error.message or len(error.message) > 500:
            pytest.fail(error.message[:1000])
        raise
