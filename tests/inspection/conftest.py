"""The corpus, and inspections of objects."""

import sys
import types
import zipfile
from pathlib import Path

import cloudpickle
import pytest

from numerai_predict.inspection.inspect import inspect_pickle

CORPUS = Path(__file__).parent / "corpus"


@pytest.fixture
def corpus_pickle(tmp_path):
    """Write a pickle of the corpus: which Python made it, which shape; its path."""

    def write(python, shape, cloudpickle="3.1"):
        with zipfile.ZipFile(CORPUS / f"py{python}-cloudpickle{cloudpickle}.zip") as archive:
            path = tmp_path / f"{shape}.pkl"
            path.write_bytes(archive.read(f"{shape}.pkl"))
        return path

    return write


@pytest.fixture
def inspected(tmp_path):
    """The inspection of an object, or of the bytes of a pickle."""

    def inspect(thing, name="model.pkl"):
        path = tmp_path / name
        path.write_bytes(thing if isinstance(thing, bytes) else cloudpickle.dumps(thing))
        return inspect_pickle(path)

    return inspect


@pytest.fixture
def own_module(monkeypatch):
    """A function of a module that is a file of the user's."""
    module = types.ModuleType("my_helpers")
    exec("def predict(live_features):\n    return live_features", module.__dict__)
    monkeypatch.setitem(sys.modules, "my_helpers", module)
    return module
