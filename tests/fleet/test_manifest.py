"""A manifest is validated row by row before anything runs."""

import json

import pandas as pd
import pytest

from numerai_predict.contract.limits import Limits
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.errors import InvalidManifest
from numerai_predict.fleet.manifest import read_fleet_manifest

LIMITS = Limits()
IMAGES = [Environment("3.11", "slim", "numerai_predict_py_3_11:latest-slim"),
          Environment("3.12", "full", "numerai_predict_py_3_12:latest")]  # fmt: skip
SECRET = "signature-canary-77e1"


@pytest.fixture
def pickle(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(b"x")
    return path


def write(folder, rows, suffix):
    path = folder / f"manifest.{suffix}"
    if suffix == "csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    elif suffix == "parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_every_file_type_gives_the_same_entries(tmp_path, pickle, suffix):
    rows = [
        {"id": "a", "model": "a.pkl", "python": "3.11", "memory": "2g", "timeout": "60"},
        {"id": "b", "model": "https://h/x.pkl?s=1", "post_url": "https://b/", "post_data": "k=v"},
    ]
    first, second = read_fleet_manifest(write(tmp_path, rows, suffix), LIMITS, IMAGES)
    assert (first.id, first.model, first.python) == ("a", str(pickle), "3.11")
    assert first.limits == Limits(2 * 1024**3, 60.0)
    assert (second.model, second.limits, second.post.fields) == (
        "https://h/x.pkl?s=1",
        LIMITS,
        (("k", "v"),),
    )


def test_a_directory_is_a_manifest_of_its_pickles(tmp_path):
    for name in ("b.pkl", "a.pkl.gz", "c.pickle", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [entry.id for entry in read_fleet_manifest(tmp_path, LIMITS, IMAGES)] == ["a", "b", "c"]


def test_a_file_of_any_name_gets_a_valid_id(tmp_path):
    for name in ("my model (v2).pkl", "-für.pkl", f"{'x' * 120}.pkl"):
        (tmp_path / name).write_bytes(b"x")
    entries = read_fleet_manifest(tmp_path, LIMITS, IMAGES)
    assert [entry.id for entry in entries] == ["f_r", "my_model_v2_", "x" * 100]


def test_two_files_with_the_same_id_are_rejected(tmp_path):
    for name in ("my model.pkl", "my_model.pkl"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        InvalidManifest, match=r"my_model.pkl: the id 'my_model' is already used by my model"
    ):
        read_fleet_manifest(tmp_path, LIMITS, IMAGES)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": None}, "expected a value for id"),
        ({"id": "../up"}, "expected an id of at most 100 letters"),
        ({"id": "-rf"}, "expected an id of at most 100 letters"),
        ({"id": "a" * 101}, "expected an id of at most 100 letters"),
        ({"id": "used"}, "'used' is already used by row 1"),
        ({"id": "Used"}, "'Used' is already used by row 1"),
        ({"model": "gone.pkl"}, "no file there"),
        ({"model": "ftp://host/a.pkl"}, "ftp://"),
        ({"model": "."}, "no file there"),
        ({"python": "3.9"}, "images exist for Python 3.10, 3.11, 3.12, 3.13"),
        ({"python": "3.10"}, "expected an image of Python 3.10, found: 3.11"),
        ({"python": "3.10"}, "build it with `make build_3_10`"),
        ({"python": "3.12", "flavour": "slim"}, "found: 3.11 slim, 3.12 full"),
        ({"memory": "much"}, "a size like 4g"),
        ({"timeout": "-1"}, "seconds like 600"),
        ({"tags": "<b>"}, "expected at most 20 tags"),
        ({"tags": "x" * 41}, "expected at most 20 tags"),
        ({"tags": " ".join(map(str, range(21)))}, "expected at most 20 tags"),
        ({"post_url": "https://b/"}, "post_url and post_data: expected both or neither"),
        ({"post_url": "b", "post_data": "k=v"}, "post_url: expected an http(s):// URL"),
        ({"post_url": "https://b/", "post_data": SECRET}, "post_data: expected urlencoded fields"),
    ],
)
def test_an_invalid_row_is_named(tmp_path, pickle, row, words):
    rows = [{"id": "used", "model": "a.pkl"}, {"id": "b", "model": "a.pkl", **row}]
    with pytest.raises(InvalidManifest) as caught:
        read_fleet_manifest(write(tmp_path, rows, "jsonl"), LIMITS, IMAGES)
    assert str(caught.value).startswith("row 2: ")
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_all_invalid_rows_are_reported_at_once(tmp_path, pickle):
    rows = [{"id": f"m{n}", "model": f"{n}.pkl"} for n in range(30)]
    with pytest.raises(InvalidManifest) as caught:
        read_fleet_manifest(write(tmp_path, rows, "csv"), LIMITS, IMAGES)
    lines = str(caught.value).splitlines()
    assert lines[19].startswith("row 20: ")
    assert lines[-1] == "... and 10 more"


def test_rows_that_are_not_objects_are_reported_with_the_others(tmp_path, pickle):
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text('{"id": "a", "model": "gone.pkl"}\nnull\n{"id":\n' + "[" * 100_000)
    with pytest.raises(InvalidManifest) as caught:
        read_fleet_manifest(manifest, LIMITS, IMAGES)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("row 1: expected a pickle at ")
    assert rest == [f"row {n}: expected an object with id and model" for n in (2, 3, 4)]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_missing_columns_are_named(tmp_path, suffix):
    with pytest.raises(InvalidManifest, match="found id, path: model is missing"):
        read_fleet_manifest(write(tmp_path, [{"id": "a", "path": "a.pkl"}], suffix), LIMITS, IMAGES)


def test_an_unknown_column_is_rejected(tmp_path, pickle):
    rows = [{"id": "a", "model": "a.pkl", "pyhton": "3.11"}]
    with pytest.raises(InvalidManifest, match="post_data, tags, found pyhton"):
        read_fleet_manifest(write(tmp_path, rows, "csv"), LIMITS, IMAGES)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_manifest_without_rows_is_rejected(tmp_path, suffix):
    path = tmp_path / f"manifest.{suffix}"
    path.write_text("id,model\n" if suffix == "csv" else "\n")
    with pytest.raises(InvalidManifest, match="at least one model"):
        read_fleet_manifest(path, LIMITS, IMAGES)


def test_a_directory_without_pickles_is_rejected(tmp_path):
    with pytest.raises(InvalidManifest, match="at least one model"):
        read_fleet_manifest(tmp_path, LIMITS, IMAGES)


@pytest.mark.parametrize(
    ("name", "text"),
    [("m.txt", "id"), ("m.parquet", "no parquet"), ("m.jsonl", "{"), ("m.jsonl", "[1]\n")],
)
def test_a_file_that_is_not_a_manifest_is_rejected(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidManifest, match="expected"):
        read_fleet_manifest(tmp_path / name, LIMITS, IMAGES)


def test_without_a_container_engine_only_the_local_python_is_available(tmp_path, pickle):
    local = [Environment("3.11", LOCAL)]
    path = write(tmp_path, [{"id": "a", "model": "a.pkl", "python": "3.12"}], "csv")
    with pytest.raises(InvalidManifest, match="found only the local Python"):
        read_fleet_manifest(path, LIMITS, local)


@pytest.mark.parametrize(
    "tags", ["linear, alice", "linear alice", " linear,alice,linear ", ["linear", "alice"]]
)
def test_tags_are_a_list_or_a_text(tmp_path, pickle, tags):
    path = tmp_path / "fleet.jsonl"
    path.write_text(json.dumps({"id": "a", "model": "a.pkl", "tags": tags}))
    (entry,) = read_fleet_manifest(path, LIMITS, IMAGES)
    assert entry.tags == ("linear", "alice")
