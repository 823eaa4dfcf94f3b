"""The user's directories are where earlier versions had them."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

import numerai_predict
from numerai_predict.contract.job import DatasetFolders
from numerai_predict.storage.directories import (
    cache_directory,
    config_directory,
    data_directory,
    dataset_folders,
    sample_directory,
    state_directory,
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home directory, with nothing else set."""
    for name in ("DATA", "STATE", "CACHE", "CONFIG"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_on_linux_they_are_those_of_the_xdg_specification(home):
    assert data_directory({}) == home / ".local/share/numerai-predict/data"
    assert state_directory({}) == home / ".local/state/numerai-predict"
    assert config_directory({}) == home / ".config/numerai-predict"
    assert cache_directory({}) == home / ".cache/numerai-predict/datasets"
    sample = f"sample-{numerai_predict.__version__}"
    assert sample_directory({}) == home / ".cache/numerai-predict" / sample


def test_the_xdg_variables_move_them():
    environment = {f"XDG_{name}_HOME": f"/{name}" for name in ("DATA", "STATE", "CACHE", "CONFIG")}
    assert data_directory(environment) == Path("/DATA/numerai-predict/data")
    assert state_directory(environment) == Path("/STATE/numerai-predict")
    assert config_directory(environment) == Path("/CONFIG/numerai-predict")
    assert cache_directory(environment) == Path("/CACHE/numerai-predict/datasets")


def test_variables_of_our_own_come_first():
    environment = {"NUMERAI_DATA_DIR": "/d", "NUMERAI_PREDICT_CACHE": "/c", "XDG_DATA_HOME": "/x"}
    assert dataset_folders(environment) == DatasetFolders(Path("/d"), Path("/c"))


@pytest.mark.parametrize("word", ["none", "NONE"])
def test_none_turns_the_cache_off(home, word):
    assert cache_directory({"NUMERAI_PREDICT_CACHE": word}) is None


def test_without_a_home_there_is_no_cache_and_no_snapshot(monkeypatch):
    for name in ("user_data_dir", "user_cache_dir", "user_state_dir"):
        monkeypatch.setattr(platformdirs, name, lambda *_, **__: "~/folder")
    assert dataset_folders({}) == DatasetFolders(None, None)
    with pytest.raises(RuntimeError, match="expected a home directory"):
        state_directory({})


def test_on_another_platform_a_store_of_an_earlier_version_is_used(home, monkeypatch):
    platform = home / "Library" / "numerai-predict"
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(platform))
    assert cache_directory({}) == platform / "datasets"
    (home / ".cache" / "numerai-predict").mkdir(parents=True)
    assert cache_directory({}) == home / ".cache/numerai-predict/datasets"
    platform.mkdir(parents=True)
    assert cache_directory({}) == platform / "datasets"
