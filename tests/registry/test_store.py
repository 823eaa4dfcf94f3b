"""A store creates each file whole and once."""

import os

import pytest

from numerai_predict.contract.registry_errors import RegistryUnavailable
from numerai_predict.registry.store import DirectoryStore

pytestmark = pytest.mark.unit


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path / "registry")


def test_a_file_is_created_once_and_stays_as_it_is(store):
    assert store.create("models/a/1", b"first")
    assert not store.create("models/a/1", b"second")
    assert store.read("models/a/1") == b"first"


def test_an_empty_store_has_no_names_and_no_content(store):
    assert store.names("models/") == []
    assert store.read("models/a") is None


def test_what_an_interrupted_write_left_is_no_file_of_the_store(store, tmp_path):
    store.create("objects/ab", b"whole")
    (tmp_path / "registry/objects/.cd.1234.part").write_bytes(b"half")
    assert store.names("objects/") == ["objects/ab"]


def test_a_local_file_is_added_and_copied_back(store, tmp_path):
    (tmp_path / "source").write_bytes(b"content")
    store.add_file("objects/ab", tmp_path / "source")
    assert store.copy_to("objects/ab", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"content"
    assert not store.copy_to("objects/missing", tmp_path / "other")


def test_a_file_that_is_added_again_counts_as_new(store, tmp_path):
    (tmp_path / "source").write_bytes(b"content")
    store.add_file("objects/ab", tmp_path / "source")
    os.utime(tmp_path / "registry/objects/ab", (0, 0))
    assert store.age("objects/ab") > 1_000_000
    store.add_file("objects/ab", tmp_path / "source")
    assert store.age("objects/ab") < 60


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
