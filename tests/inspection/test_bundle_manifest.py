"""The manifest of a bundle is read within limits, whatever somebody wrote into it."""

import json
import os
import time

import pytest
from bundles import write_bundle

from numerai_predict.inspection.bundle_manifest import (
    MAX_BYTES,
    InvalidBundleManifest,
    read_bundle_manifest,
)

SHA256 = "0123456789abcdef" * 4


@pytest.fixture
def pickle(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"a pickle")
    return path


def test_a_manifest_states_pickle_python_data_and_features(pickle):
    data = {"server": "https://api", "features": {"names": ["feature_a", "feature_b"]}}
    found = read_bundle_manifest(write_bundle(pickle, {"python": "3.12"}, data))
    assert (found.file, found.python) == ("model.pkl", "3.12")
    assert (found.data_version, found.server) == ("v5.2", "https://api")
    assert found.features == ("feature_a", "feature_b")


@pytest.mark.parametrize(
    ("directory", "version"), [("/data/v5.1", "v5.1"), ("/data/sample", None), ("", None)]
)
def test_the_manifest_of_an_earlier_version_names_the_data_version_by_its_directory(
    pickle, directory, version
):
    write_bundle(pickle, data={"directory": directory, "version": None})
    assert read_bundle_manifest(pickle).data_version == version


def test_the_manifest_is_that_of_the_file_it_names_under_any_name(pickle):
    write_bundle(pickle)
    stated = read_bundle_manifest(pickle).sha256
    other = pickle.with_name("other.pkl")
    assert read_bundle_manifest(other, "0" * 64) is None
    assert read_bundle_manifest(other, stated).sha256 == stated


@pytest.mark.parametrize("text", ["{}", '{"form": 1, "files": {}}'])
def test_a_file_that_describes_no_pickle_is_no_manifest_of_a_bundle(pickle, text):
    pickle.with_name("manifest.json").write_text(text)
    assert read_bundle_manifest(pickle) is None


MODEL = {"sha256": SHA256}
HOSTILE = {
    "empty": "",
    "no JSON": "{",
    "a list": "[]",
    "a number": "7",
    "null": "null",
    "deep lists": "[" * 1_000_000,
    "deep objects": '{"model":' * 400_000,
    "a large number": '{"model": ' + "9" * 10_000 + "}",
    "bytes that are no text": b"\xff\xfe\x00",
    "too large": b" " * (MAX_BYTES + 1),
    "many lists": b"[" + b"[]," * (MAX_BYTES // 3 - 2) + b"[]]",
    "model a list": {"model": []},
    "model null": {"model": None},
    "no hash": {"model": {}},
    "hash a number": {"model": {"sha256": 1}},
    "hash too short": {"model": {"sha256": "ab"}},
    "hash with control codes": {"model": {"sha256": "\x1b[31m" * 1000}},
    "file a path": {"model": {**MODEL, "file": "../../etc/passwd"}},
    "file a list": {"model": {**MODEL, "file": ["model.pkl"]}},
    "python a number": {"model": {**MODEL, "python": 3.12}},
    "python a text": {"model": {**MODEL, "python": "CPython\n12:00:00 verdict  ok"}},
    "data a text": {"model": MODEL, "data": "v5.2"},
    "version a number": {"model": MODEL, "data": {"version": 5.2}},
    "version a path": {"model": MODEL, "data": {"version": "../v5.2"}},
    "directory a list": {"model": MODEL, "data": {"directory": []}},
    "server an object": {"model": MODEL, "data": {"server": {}}},
    "server too long": {"model": MODEL, "data": {"server": "h" * 100_000}},
    "features a list": {"model": MODEL, "data": {"features": ["feature_a"]}},
    "names a text": {"model": MODEL, "data": {"features": {"names": "feature_a"}}},
    "names of numbers": {"model": MODEL, "data": {"features": {"names": [1]}}},
    "too many names": {"model": MODEL, "data": {"features": {"names": ["f"] * 20_001}}},
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_manifest_of_a_bundle_is_a_short_error_in_bounded_time(pickle, content):
    text = json.dumps(content) if isinstance(content, dict) else content
    data = text if isinstance(text, bytes) else text.encode()
    pickle.with_name("manifest.json").write_bytes(data)
    started = time.process_time()
    with pytest.raises(InvalidBundleManifest) as refused:
        read_bundle_manifest(pickle)
    assert time.process_time() - started < 5
    assert len(str(refused.value)) < 1000
    assert str(refused.value).isprintable()
    assert read_bundle_manifest(pickle.with_name("other.pkl")) is None


@pytest.mark.parametrize("kind", ["pipe", "directory"])
def test_what_is_no_file_is_not_opened(pickle, kind):
    path = pickle.with_name("manifest.json")
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(InvalidBundleManifest, match="a device, pipe or directory"):
        read_bundle_manifest(pickle)
