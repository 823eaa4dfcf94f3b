"""`numerai-predict inspect`."""

import collections
import json
from pathlib import Path

import cloudpickle
import numpy
import pytest
from bundles import write_bundle

from numerai_predict.cli.main import main


@pytest.fixture
def model(tmp_path):
    def predict(live_features):
        return live_features

    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(predict))
    return str(path)


def test_it_prints_a_table_of_images_and_the_line_to_run_it_with(model, capsys):
    assert main(["inspect", model]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("numerai_predict_py_3_") for line in lines) == 8
    assert lines[-2:] == ["Run it with:", f"  numerai-predict run {model}"]


def test_it_lists_the_packages_to_install_and_not_the_standard_library(tmp_path, capsys):
    def predict(live_features):
        import decimal

        import lightgbm

        return live_features, lightgbm.Booster, decimal.Decimal

    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps((collections.OrderedDict, numpy.float64, predict)))
    assert main(["inspect", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (needs,) = (line for line in lines if line.startswith("needs"))
    (imports,) = (line for line in lines if line.startswith("imports"))
    assert "numpy" in needs
    assert "collections" not in needs
    assert "lightgbm" in imports
    assert "decimal" not in imports


def test_it_prints_json(model, capsys):
    assert main(["inspect", model, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["holds"]["parameters"] == ["live_features"]
    assert len(facts["images"]) == 8


@pytest.mark.parametrize(
    ("data", "exit_code", "words"),
    [(b"no pickle", 11, "expected a pickle"), (None, 10, "check the path")],
)
def test_what_cannot_be_inspected_ends_with_a_reason(tmp_path, capsys, data, exit_code, words):
    path = tmp_path / "model.pkl"
    if data is not None:
        path.write_bytes(data)
    assert main(["inspect", str(path)]) == exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err


def test_the_data_version_is_that_of_the_manifest(model, capsys):
    write_bundle(Path(model))
    assert main(["inspect", model]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["data", "v5.2, as manifest.json states"] in lines
    assert main(["inspect", model, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["data_version"], facts["probable_data_version"]) == ("v5.2", None)


def test_the_manifest_of_another_pickle_is_not_used(model, capsys):
    write_bundle(Path(model), model={"sha256": "0" * 64})
    assert main(["inspect", model, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["data_version"] is None
    assert "the manifest is not used: expected the pickle of its manifest" in printed.err


def test_a_pickle_given_as_model_is_inspected_with_a_warning(model, capsys):
    assert main(["inspect", "--model", model, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["holds"]["parameters"] == ["live_features"]
    assert "numerai-predict inspect PICKLE" in printed.err
