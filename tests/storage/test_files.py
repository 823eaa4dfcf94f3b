"""Local files: found, or refused with a reason; written whole or not at all."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed, FetchFailed
from numerai_predict.storage.files import atomic_write, sha256_of
from numerai_predict.storage.named_data import (
    absolute_source,
    data_source_of,
    describe_unused_file,
    is_local_file,
)
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.sources import HttpUrl, LocalFile, NumeraiDataset, S3Object, source_of

IN_IMAGE = {"NUMERAI_PREDICT_IMAGE": "numerai_predict_py_3_12:latest"}


def test_bytes_appear_when_the_block_ends_well(tmp_path):
    target = tmp_path / "target"
    with atomic_write(target) as handle:
        handle.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_exception_nothing_is_left_and_the_old_file_stays(tmp_path, error):
    target = tmp_path / "target"
    target.write_bytes(b"old")

    def interrupted(handle):
        handle.write(b"half")
        raise error

    with pytest.raises(error), atomic_write(target) as handle:
        interrupted(handle)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_gets_the_rights_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "target") as handle:
            handle.write(b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match="pipe"), atomic_write(tmp_path / name):
            pass
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_a_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "gone" / "target"):
        pass


def test_the_hash_is_that_of_all_bytes(tmp_path):
    data = os.urandom(3 * 1024 * 1024 + 17)
    (tmp_path / "file").write_bytes(data)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_a_local_file_is_used_where_it_lies(tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"x")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert LocalFile(tmp_path / "m.pkl").fetch(folder, TransferPolicy()) == tmp_path / "m.pkl"
    assert list(folder.iterdir()) == []


def test_a_relative_path_becomes_absolute(tmp_path, monkeypatch):
    """The model's process works in another directory."""
    (tmp_path / "m.pkl").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert source_of("m.pkl").fetch(tmp_path, TransferPolicy()) == tmp_path / "m.pkl"


@pytest.mark.parametrize(("name", "words"), [("gone", "found nothing"), (".", "directory")])
def test_what_is_no_file_is_refused(tmp_path, name, words):
    with pytest.raises(FetchFailed, match=words):
        LocalFile(tmp_path / name).fetch(tmp_path, TransferPolicy())


def test_a_device_is_no_file(tmp_path):
    with pytest.raises(FetchFailed, match="device"):
        source_of("/dev/null").fetch(tmp_path, TransferPolicy())


def test_a_file_without_read_permission_is_reported(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    (tmp_path / "m.pkl").write_bytes(b"x")
    (tmp_path / "m.pkl").chmod(0)
    with pytest.raises(FetchFailed, match="no permission"):
        LocalFile(tmp_path / "m.pkl").fetch(tmp_path, TransferPolicy())


def test_a_passed_deadline_fetches_nothing(tmp_path):
    with pytest.raises(DeadlinePassed):
        LocalFile(tmp_path / "m.pkl").fetch(tmp_path, TransferPolicy(Deadline(at=0.0, seconds=1)))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("http://h/m.pkl", HttpUrl("http://h/m.pkl")),
        ("HTTPS://h/m.pkl?a://b", HttpUrl("HTTPS://h/m.pkl?a://b")),
        ("s3://bucket/a/m.pkl", S3Object("bucket", "a/m.pkl")),
        ("v5.2/live.parquet", NumeraiDataset("v5.2/live.parquet")),
        ("v4.3.1/features.json", NumeraiDataset("v4.3.1/features.json")),
    ],
)
def test_a_source_is_parsed_by_its_form(text, source):
    assert source_of(text) == source


@pytest.mark.parametrize("text", ["m.pkl", "/a/live.parquet", "v5/../live.parquet", "v5.2/m.pkl"])
def test_everything_else_is_a_file(text):
    assert isinstance(source_of(text), LocalFile)


@pytest.mark.parametrize("start", ["./", "../", "/", ""])
def test_a_name_means_the_tournament_and_a_file_of_that_name_needs_a_path(
    start, tmp_path, monkeypatch
):
    directory = tmp_path / "here"
    for place in (directory, tmp_path):
        (place / "v5.2").mkdir(parents=True)
        (place / "v5.2/live.parquet").write_bytes(b"x")
    monkeypatch.chdir(directory)
    text = f"{directory}/v5.2/live.parquet" if start == "/" else f"{start}v5.2/live.parquet"
    kind = LocalFile if start else NumeraiDataset
    assert isinstance(source_of(text), kind)
    assert isinstance(data_source_of(text, environment=IN_IMAGE), kind)
    assert is_local_file(text) is bool(start)
    assert Path(absolute_source(text)).is_absolute() is bool(start)
    assert (describe_unused_file(text) is None) is bool(start)


def test_a_data_set_without_a_file_of_its_name_has_no_warning(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert describe_unused_file("v5.2/live.parquet") is None


@pytest.mark.parametrize("text", ["live.parquet", "sample/live.parquet", "v5/../live.parquet"])
def test_in_an_image_a_path_to_data_must_start_as_one(text):
    assert isinstance(data_source_of(text, environment={}), LocalFile)
    with pytest.raises(ValueError, match=f"for a file write ./{text}"):
        data_source_of(text, environment=IN_IMAGE)
    assert isinstance(data_source_of(f"./{text}", environment=IN_IMAGE), LocalFile)


@pytest.mark.parametrize("text", ["", "ftp://user:SECRET@h/m.pkl", "file:///m.pkl", "://x"])
def test_what_is_not_supported_is_refused_without_showing_it(text):
    with pytest.raises(ValueError, match="expected a file") as refused:
        source_of(text)
    assert "SECRET" not in str(refused.value)


def test_the_representation_of_a_url_source_hides_it():
    assert "SECRET" not in repr(HttpUrl("http://h/m.pkl?SECRET"))


@pytest.mark.process
def test_requests_is_imported_only_for_a_transfer():
    code = "import sys, numerai_predict.storage.sources; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
