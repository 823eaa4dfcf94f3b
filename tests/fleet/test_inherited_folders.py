"""Libraries that were imported before a fork keep their files in the model's own directory."""

import functools
import os
from pathlib import Path
from types import ModuleType

import pytest

from numerai_predict.fleet.worker.inherited_folders import InheritedFolders

LIBRARY = """
import functools, os
from pathlib import Path

HOME = os.environ["LIBRARY_HOME"]
CACHE = Path(HOME) / "cache"
OTHER = HOME + "-of-another"
COUNT = 3

class Config:
    directory = os.path.join(HOME, "config")

def cached(function):
    value = None
    def wrapper():
        nonlocal value
        value = value or function()
        return value
    return wrapper

@cached
def closure_directory():
    return os.environ["LIBRARY_HOME"]

@functools.cache
def cached_directory():
    return os.environ["LIBRARY_HOME"]

@functools.lru_cache(4)
def bounded_directory(name):
    return os.path.join(os.environ["LIBRARY_HOME"], name)

@functools.cache
def other(name):
    return name
"""


@pytest.fixture
def library(monkeypatch):
    monkeypatch.setenv("LIBRARY_HOME", "/worker/home")
    module = ModuleType("library")
    exec(LIBRARY, vars(module))
    for function in (module.closure_directory, module.cached_directory):
        function()
    module.bounded_directory("a")
    module.other("a")
    return module


def test_every_place_where_a_library_keeps_its_folder_is_moved(library, monkeypatch):
    folders = InheritedFolders("/worker/home", [library])
    monkeypatch.setenv("LIBRARY_HOME", "/scratch")
    folders.move_to("/scratch")
    assert library.HOME == "/scratch"
    assert Path("/scratch/cache") == library.CACHE
    assert library.Config.directory == "/scratch/config"
    assert library.closure_directory() == "/scratch"
    assert library.cached_directory() == "/scratch"
    assert library.bounded_directory("a") == "/scratch/a"


def test_everything_else_stays(library):
    InheritedFolders("/worker/home", [library, functools]).move_to("/scratch")
    assert library.OTHER == "/worker/home-of-another"
    assert library.COUNT == 3
    assert library.other.cache_info().currsize == 1


def draws(live_features):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], label="a line")
    axes.set_title("a title")
    axes.legend()
    figure.savefig("plot.png")
    folders = (mpl.get_configdir(), mpl.get_cachedir())
    print("FOLDERS", folders == (os.environ["HOME"],) * 2, Path("plot.png").stat().st_size > 1000)
    return live_features["feature_sample_0000"].rank(pct=True).to_frame("prediction")


def test_a_model_that_draws_with_matplotlib_writes_to_its_scratch_directory(run):
    outcome = run(draws)
    assert outcome.record["verdict"] == "ok", outcome.log.decode()
    log = outcome.log.decode()
    assert "FOLDERS True True" in log
    assert "Matplotlib" not in log  # it warns where it cannot write


def keeps_worker_folders(live_features):
    import sys

    from numerai_predict.fleet.worker.inherited_folders import InheritedFolders

    worker = os.environ["HOME"].rpartition("/numerai-model-")[0]
    kept = [
        str(each.value)
        for each in InheritedFolders(worker, list(sys.modules.values()))._kept
        if not str(each.value).startswith(os.environ["HOME"])
    ]
    print("KEPT", kept)
    return live_features["feature_sample_0000"].rank(pct=True).to_frame("prediction")


def test_no_preloaded_library_keeps_a_directory_of_the_worker(run):
    outcome = run(keeps_worker_folders)
    assert outcome.record["verdict"] == "ok", outcome.log.decode()
    assert "KEPT []" in outcome.log.decode(), outcome.log.decode()
