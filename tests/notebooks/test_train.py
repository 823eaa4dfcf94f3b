"""The notebook is kept without outputs, and does from its first cell to its last what it says."""

import json
import re

import nbformat
import pytest
from nbclient import NotebookClient

# Of the kernel's own libraries: nothing that a notebook could help.
pytestmark = pytest.mark.filterwarnings("default")

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def notebook(contract):
    return nbformat.read(contract.root / "notebooks/train.ipynb", as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_kept_without_outputs(notebook):
    nbformat.validate(notebook)
    for cell in code_cells(notebook):
        assert (cell.outputs, cell.execution_count) == ([], None)


def test_it_ends_with_a_page_about_a_model_that_learned_something(
    notebook, tmp_path, clean_environment, monkeypatch
):
    for name, value in clean_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=100, kernel_name="python3", resources=resources).execute()
    *_, diagnosis, page, table = code_cells(notebook)
    printed = "".join(output.text for output in diagnosis.outputs)
    assert "verdict  ok (exit 0)" in _COLOURS.sub("", printed)  # a notebook shows colours
    (shown,) = page.outputs
    assert "<iframe srcdoc=" in shown.data["text/html"]
    assert "Cumulative scores" in shown.data["text/html"]
    (shown,) = table.outputs
    assert "sharpe" in shown.data["text/plain"]
    corr = json.loads((tmp_path / "diagnose.json").read_text())["summary"]["corr"]
    assert corr["mean"] > 4 * corr["std"] / corr["eras"] ** 0.5
    assert (tmp_path / "model/model.pkl").is_file()
