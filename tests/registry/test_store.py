"""A store creates each file whole and once."""

import os

import boto3
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
    assert store.read("models/a/1") == b"first"


def test_an_empty_store_has_no_names_and_no_content(store):
    assert store.names("models/") == []
    assert store.read("models/a") is None


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
        S3Store("elsewhere", "a").read("models/a")


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
