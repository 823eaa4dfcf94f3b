"""The corpus, and pickles as tests need them."""

import zipfile
from pathlib import Path

import pytest

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
