"""Data of the practice tournament and of the real one are kept apart, and each is named."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from numerai_predict.contract.server_name import REAL_SERVER

PREVIOUS = Path(__file__).parents[1] / "previous_version/snapshot"


@pytest.fixture
def real_store(tmp_path):
    """A store of the real tournament, as the previous version left it."""
    store = tmp_path / "real"
    shutil.copytree(PREVIOUS, store)
    return store


def test_without_a_directory_practice_data_leave_the_real_ones_alone(
    practice, numerai, tmp_path, environment
):
    fetched = numerai(
        "data", "get", "features", NUMERAI_DATA_DIR=None, XDG_DATA_HOME=str(tmp_path / "data")
    )
    assert fetched.code == 0, fetched.log
    assert practice.url in fetched.verdict
    store = tmp_path / "state/numerai-predict/practice/snapshots"
    assert json.loads((store / "manifest.json").read_text())["server"] == practice.url
    assert not (tmp_path / "data").exists()


def test_practice_env_sets_the_directory_of_its_data(practice, numerai):
    ended = numerai("practice", "env", "--state-dir", practice.folder)
    shown = f"{ended.out.strip()}; env | grep -E '^NUMERAI_(DATA_DIR|API_URL)='"
    variables = subprocess.run(["sh", "-c", shown], capture_output=True, text=True).stdout
    assert f"NUMERAI_DATA_DIR={practice.folder}/snapshots" in variables.splitlines()
    assert f"NUMERAI_API_URL={practice.url}" in variables.splitlines()
    assert shlex.split(ended.out)


@pytest.mark.parametrize("words", [["data", "get", "live"], ["round"], ["submit"]])
def test_practice_data_do_not_replace_those_of_the_real_tournament(
    practice, numerai, pickled, csv, real_store, words
):
    before = (real_store / "manifest.json").read_bytes()
    if words != ["data", "get", "live"]:
        file = csv() if words == ["submit"] else pickled()
        words = [*words, file, "--model-name", practice.model()]
    ended = numerai(*words, "--data-dir", real_store)
    assert ended.code == 15
    assert f"expected data of {practice.url} in {real_store}" in ended.verdict
    assert f"found those of {REAL_SERVER}" in ended.verdict
    assert "unset NUMERAI_API_URL" in ended.verdict
    assert (real_store / "manifest.json").read_bytes() == before


def test_data_list_names_the_server_of_each_file(numerai, live, practice, real_store):
    listed = numerai("data", "list", "--offline")
    assert f"files of {practice.url} in" in listed.log
    (row,) = [line for line in listed.out.splitlines() if "v5.2/live.parquet" in line]
    assert row.endswith(practice.url)
    other = numerai("data", "list", "--offline", "--data-dir", real_store)
    assert f"files of {REAL_SERVER} in" in other.log
    assert f"the server is {practice.url}" in other.log


def test_training_by_default_refuses_the_data_of_another_server(numerai, real_store, practice):
    ended = numerai("train", NUMERAI_DATA_DIR=str(real_store))
    assert ended.code == 15
    assert f"expected data of {practice.url}" in ended.verdict


def test_a_round_names_its_server(practice, numerai, pickled):
    ended = numerai("round", pickled(), "--model-name", practice.model())
    assert ended.code == 0, ended.log
    assert f"of {practice.url} is open until" in ended.log
