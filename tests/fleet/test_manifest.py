"""A manifest is judged row by row before anything runs."""

import json

import pandas as pd
import pytest

from numerai_predict.contract.limits import Limits
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.manifest import InvalidManifest, read_fleet_manifest

LIMITS = Limits()
IMAGES = [Environment("3.11", "slim", "numerai_predict_py_3_11:latest-slim"),
          Environment("3.12", "full", "numerai_predict_py_3_12:latest")]  # fmt: skip
SECRET = "signature-canary-77e1"


@pytest.fixture
def pickle(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(b"x")
    return path


def write(folder, rows, kind):
    path = folder / f"manifest.{kind}"
    if kind == "csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    elif kind == "parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_kind_says_the_same(tmp_path, pickle, kind):
    rows = [
        {"id": "a", "model": "a.pkl", "python": "3.11", "memory": "2g", "timeout": "60"},
        {"id": "b", "model": "https://h/x.pkl?s=1", "post_url": "https://b/", "post_data": "k=v"},
    ]
    first, second = read_fleet_manifest(write(tmp_path, rows, kind), LIMITS, IMAGES)
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


def test_files_of_any_name_get_an_id_that_names_files(tmp_path):
    for name in ("my model (v2).pkl", "-für.pkl", f"{'x' * 120}.pkl"):
        (tmp_path / name).write_bytes(b"x")
    entries = read_fleet_manifest(tmp_path, LIMITS, IMAGES)
    assert [entry.id for entry in entries] == ["f_r", "my_model_v2_", "x" * 100]


def test_files_whose_ids_are_the_same_are_told(tmp_path):
    for name in ("my model.pkl", "my_model.pkl"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        InvalidManifest, match=r"my_model.pkl: the id 'my_model' is taken by my model"
    ):
        read_fleet_manifest(tmp_path, LIMITS, IMAGES)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": None}, "expected a value for id"),
        ({"id": "../up"}, "expected an id of at most 100 letters"),
        ({"id": "-rf"}, "expected an id of at most 100 letters"),
        ({"id": "a" * 101}, "expected an id of at most 100 letters"),
        ({"id": "taken"}, "'taken' is taken by row 1"),
        ({"id": "Taken"}, "'Taken' is taken by row 1"),
        ({"model": "gone.pkl"}, "no file there"),
        ({"model": "ftp://host/a.pkl"}, "ftp://"),
        ({"model": "."}, "no file there"),
        ({"python": "3.9"}, "the Pythons that have images are 3.10, 3.11, 3.12, 3.13"),
        ({"python": "3.10"}, "no image of Python 3.10 is here (there are: 3.11"),
        ({"python": "3.10"}, "`make build_3_10` makes it"),
        ({"python": "3.12", "flavour": "slim"}, "there are: 3.11 slim, 3.12 full"),
        ({"memory": "much"}, "a size like 4g"),
        ({"timeout": "-1"}, "seconds like 600"),
        ({"post_url": "https://b/"}, "post_url and post_data, or neither"),
        ({"post_url": "b", "post_data": "k=v"}, "an http(s):// URL in post_url"),
        ({"post_url": "https://b/", "post_data": SECRET}, "urlencoded fields"),
    ],
)
def test_a_bad_row_is_named(tmp_path, pickle, row, words):
    rows = [{"id": "taken", "model": "a.pkl"}, {"id": "b", "model": "a.pkl", **row}]
    with pytest.raises(InvalidManifest) as caught:
        read_fleet_manifest(write(tmp_path, rows, "jsonl"), LIMITS, IMAGES)
    assert str(caught.value).startswith("row 2: ")
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_all_bad_rows_are_told_at_once(tmp_path, pickle):
    rows = [{"id": f"m{n}", "model": f"{n}.pkl"} for n in range(30)]
    with pytest.raises(InvalidManifest) as caught:
        read_fleet_manifest(write(tmp_path, rows, "csv"), LIMITS, IMAGES)
    lines = str(caught.value).splitlines()
    assert lines[19].startswith("row 20: ")
    assert lines[-1] == "... and 10 more"


def test_rows_that_are_no_objects_are_told_beside_others(tmp_path, pickle):
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text('{"id": "a", "model": "gone.pkl"}\nnull\n{"id":\n' + "[" * 100_000)
    with pytest.raises(InvalidManifest) as caught:
        read_fleet_manifest(manifest, LIMITS, IMAGES)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("row 1: expected a pickle at ")
    assert rest == [f"row {n}: expected an object with id and model" for n in (2, 3, 4)]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_missing_columns_are_named(tmp_path, kind):
    with pytest.raises(InvalidManifest, match="found id, path: model is missing"):
        read_fleet_manifest(write(tmp_path, [{"id": "a", "path": "a.pkl"}], kind), LIMITS, IMAGES)


def test_a_column_that_nobody_knows_is_no_typo_to_pass_over(tmp_path, pickle):
    rows = [{"id": "a", "model": "a.pkl", "pyhton": "3.11"}]
    with pytest.raises(InvalidManifest, match="unknown columns pyhton"):
        read_fleet_manifest(write(tmp_path, rows, "csv"), LIMITS, IMAGES)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_an_empty_manifest_is_said_to_be_one(tmp_path, kind):
    path = tmp_path / f"manifest.{kind}"
    path.write_text("id,model\n" if kind == "csv" else "\n")
    with pytest.raises(InvalidManifest, match="at least one model"):
        read_fleet_manifest(path, LIMITS, IMAGES)


def test_a_directory_without_pickles_is_empty(tmp_path):
    with pytest.raises(InvalidManifest, match="at least one model"):
        read_fleet_manifest(tmp_path, LIMITS, IMAGES)


@pytest.mark.parametrize(
    ("name", "text"),
    [("m.txt", "id"), ("m.parquet", "no parquet"), ("m.jsonl", "{"), ("m.jsonl", "[1]\n")],
)
def test_what_is_no_manifest_is_said_so(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidManifest, match="expected"):
        read_fleet_manifest(tmp_path / name, LIMITS, IMAGES)


def test_without_an_engine_the_python_at_hand_is_the_only_one(tmp_path, pickle):
    here = [Environment("3.11", LOCAL)]
    path = write(tmp_path, [{"id": "a", "model": "a.pkl", "python": "3.12"}], "csv")
    with pytest.raises(InvalidManifest, match="no Docker engine answers"):
        read_fleet_manifest(path, LIMITS, here)
