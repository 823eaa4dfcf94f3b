"""A store creates each file whole and once."""

import itertools
import os

import boto3
import boto3.exceptions
import botocore.parsers
import pytest
from moto import mock_aws

from numerai_predict.contract.registry_errors import RegistryUnavailable
from numerai_predict.registry.s3_store import S3Store
from numerai_predict.registry.store import DirectoryStore

pytestmark = pytest.mark.unit


@pytest.fixture
def bucket(monkeypatch):
    """A store in a bucket of moto's S3 in this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="bucket")
        yield S3Store("bucket", "registry/")


@pytest.fixture(params=["directory", "bucket"])
def store(request, tmp_path):
    if request.param == "directory":
        return DirectoryStore(tmp_path / "registry")
    return request.getfixturevalue("bucket")


def test_a_file_is_created_once_and_stays_as_it_is(store):
    assert store.create("models/a/1", b"first")
    assert not store.create("models/a/1", b"second")
    assert store.read("models/a/1", 10) == b"first"


def test_an_empty_store_has_no_names_and_no_content(store):
    assert store.names("models/") == []
    assert store.read("models/a", 10) is None


def test_what_an_interrupted_write_left_is_no_file_of_a_directory(tmp_path):
    store = DirectoryStore(tmp_path / "registry")
    store.create("objects/ab", b"whole")
    (tmp_path / "registry/objects/.cd.1234.part").write_bytes(b"half")
    assert store.names("objects/") == ["objects/ab"]


def test_a_local_file_is_added_and_copied_back(store, tmp_path):
    (tmp_path / "source").write_bytes(b"content")
    store.add_file("objects/ab", tmp_path / "source")
    assert store.copy_to("objects/ab", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"content"
    assert not store.copy_to("objects/missing", tmp_path / "other")


def test_no_more_is_read_than_was_asked_for(store):
    store.create("models/a/1", b"first")
    assert store.read("models/a/1", 2) == b"fi"
    assert store.size("models/a/1") == 5
    assert store.size("models/a/2") is None


def test_a_file_of_other_bytes_is_replaced_when_it_is_added_again(store, tmp_path):
    (tmp_path / "source").write_bytes(b"content")
    store.create("objects/ab", b"damaged")
    store.add_file("objects/ab", tmp_path / "source")
    assert store.read("objects/ab", 10) == b"content"


LINKED = {
    "a file": "objects/ab/content",
    "a directory": "objects/ab",
    "a directory above": "objects",
}


@pytest.mark.parametrize("link", LINKED)
@pytest.mark.parametrize(
    "use",
    [
        lambda store, _: store.read("objects/ab/content", 10),
        lambda store, folder: store.copy_to("objects/ab/content", folder / "copy"),
        lambda store, folder: store.add_file("objects/ab/content", folder / "source"),
        lambda store, _: store.create("objects/ab/content", b""),
        lambda store, _: store.remove("objects/ab/content"),
        lambda store, _: store.age("objects/ab/content"),
        lambda store, _: store.size("objects/ab/content"),
    ],
)
def test_no_symbolic_link_is_followed(tmp_path, link, use):
    outside, root = tmp_path / "outside", tmp_path / "registry"
    (outside / "ab").mkdir(parents=True)
    (outside / "ab/content").write_bytes(b"private")
    (tmp_path / "source").write_bytes(b"content")
    place = root / LINKED[link]
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / LINKED[link].removeprefix("objects").strip("/"))
    with pytest.raises(RegistryUnavailable, match="found: a symbolic link in place of"):
        use(DirectoryStore(root), tmp_path)
    assert (outside / "ab/content").read_bytes() == b"private"
    assert not (tmp_path / "copy").exists()


def test_links_devices_and_pipes_are_no_files_of_a_directory(tmp_path):
    store = DirectoryStore(tmp_path / "registry")
    store.create("objects/ab", b"whole")
    folder = tmp_path / "registry/objects"
    (folder / "link").symlink_to(folder / "ab")
    (folder / "folder").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    assert store.names("objects/") == ["objects/ab"]
    assert store.size("objects/pipe") is None
    assert store.read("objects/pipe", 10) is None
    assert not store.copy_to("objects/pipe", tmp_path / "copy")


def hostile_server(answer):
    """A client of S3 whose server answers every request in this way."""

    def call(**_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    class Paginator:
        @staticmethod
        def paginate(**_):
            return [call()]

    names = ("put_object", "get_object", "head_object", "delete_object", "upload_file")
    client = {name: staticmethod(lambda *_, **__: call()) for name in (*names, "download_file")}
    client["get_paginator"] = staticmethod(lambda _: Paginator)
    return type("Client", (), client)


ANSWERS = {
    "no fields": {},
    "other types": {"Body": 7, "ContentLength": "x", "LastModified": 1, "Contents": [{"Key": 3}]},
    "an error of the transfer": boto3.exceptions.S3UploadFailedError("denied\x1b[2J"),
    "no XML": botocore.parsers.ResponseParserError("not well-formed"),
    "more names than there can be": {"Contents": itertools.repeat({"Key": "registry/x"})},
}


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_server_that_answers_otherwise_than_s3_is_an_unavailable_registry(
    tmp_path, monkeypatch, answer
):
    monkeypatch.setattr("numerai_predict.registry.s3_store._MAX_NAMES", 1000)
    store = S3Store("bucket", "registry")
    store._client = hostile_server(ANSWERS[answer])
    uses = (
        lambda: store.read("objects/ab", 10),
        lambda: store.size("objects/ab"),
        lambda: store.age("objects/ab"),
        lambda: store.names(""),
        lambda: store.add_file("objects/ab", tmp_path / "source"),
        lambda: store.copy_to("objects/ab", tmp_path / "copy"),
    )
    refused = [message_of(use) for use in uses]
    assert any(refused)
    assert not any("\x1b" in message for message in refused)


def message_of(use):
    """The message with which the store refuses, if it does; no other exception may pass."""
    try:
        use()
    except RegistryUnavailable as error:
        return error.message
    return ""


def test_a_file_that_is_added_again_to_a_directory_counts_as_new(tmp_path):
    store = DirectoryStore(tmp_path / "registry")
    (tmp_path / "source").write_bytes(b"content")
    store.add_file("objects/ab", tmp_path / "source")
    os.utime(tmp_path / "registry/objects/ab", (0, 0))
    assert store.age("objects/ab") > 1_000_000
    store.add_file("objects/ab", tmp_path / "source")
    assert store.age("objects/ab") < 60


def test_a_removed_file_is_gone(store):
    store.create("objects/ab", b"content")
    store.remove("objects/ab")
    store.remove("objects/ab")
    assert store.names("objects/") == []


def test_a_store_that_can_be_written_has_no_more_names_than_before(store):
    store.require_writable()
    assert store.names("") == []


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_there_is_not_is_named():
    with pytest.raises(RegistryUnavailable, match=r"in s3://elsewhere/a/, found: .*NoSuchBucket"):
        S3Store("elsewhere", "a").read("models/a", 10)


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.create("models/a", b""),
        lambda store: store.require_writable(),
        lambda store: store.add_file("objects/a", store._root),
    ],
    ids=["create", "require_writable", "add_file"],
)
def test_a_store_that_cannot_be_written_says_so(tmp_path, use):
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(RegistryUnavailable, match="expected to read and write the registry in"):
        use(DirectoryStore(tmp_path / "file"))
