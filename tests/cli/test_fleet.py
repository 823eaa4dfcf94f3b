"""`numerai-predict fleet`: what is wrong before any model runs, and the state of a fleet run."""

import io
import json
from contextlib import closing

import pytest

from numerai_predict.cli.commands import fleet
from numerai_predict.cli.main import main
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.progress_display import FleetDisplay


@pytest.fixture
def directory(tmp_path):
    """The output directory of a fleet run with a failed and a queued model."""
    with closing(FleetLedger(tmp_path)) as ledger:
        ledger.add_models(dict.fromkeys(["good", "bad"], ()))
        ledger.record_event("bad", ModelState.FAILED, verdict="model_error", message="it raised")
    return tmp_path


def test_status_prints_a_table(directory, capsys):
    assert main(["fleet", "status", str(directory)]) == 1
    printed = capsys.readouterr().out
    assert "model_error" in printed
    assert "bad: it raised" in printed


def test_status_prints_json(directory, capsys):
    assert main(["fleet", "status", str(directory), "--json"]) == 1
    models = {model["id"]: model for model in json.loads(capsys.readouterr().out)}
    assert models["good"]["state"] == "queued"
    assert (models["bad"]["state"], models["bad"]["verdict"]) == ("failed", "model_error")
    assert models["bad"]["message"] == "it raised"


def test_a_directory_without_a_ledger_is_rejected(tmp_path, refuses):
    assert "found no fleet.sqlite" in refuses("fleet", "status", tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "required: MANIFEST, --output-dir"),
        (("gone.csv", "--output-dir", "."), "at gone.csv, found nothing there: check the path"),
        (("gone", "--output-dir", "."), "at gone, found nothing there: check the path"),
        (("m.csv", "--output-dir", "s3://bucket/x?secret"), "expected a directory on a disk"),
        (("m.csv", "--output-dir", ".", "--concurrency", "0"), "expected a whole number from 1"),
        (("m.csv", "--output-dir", ".", "--memory", "much"), "expected a size like 4g"),
    ],
)
def test_a_wrong_option_is_named_before_any_model_runs(refuses, words, said):
    last = refuses("fleet", "run", *words, *(["--no-container"] if words else []))
    assert said in last
    assert "secret" not in last


def test_the_images_found_are_listed_whichever_of_them_the_models_need(tmp_path, monkeypatch):
    printed = io.StringIO()
    monkeypatch.setattr(fleet, "FleetDisplay", lambda: FleetDisplay(printed))
    monkeypatch.setattr("numerai_predict.fleet.run.run_fleet", lambda *_: True)
    config = FleetConfig(tmp_path, "live", "benchmarks", engine="docker")
    found = [Environment("3.11", "slim", "image_a"), Environment("3.12", "slim", "image_b")]
    assert fleet._run(config, [], [*found, Environment("3.11", LOCAL)], "")
    assert printed.getvalue().startswith("Images found: image_a, image_b\n")


def test_every_wrong_row_of_a_manifest_is_named(tmp_path, exits):
    (tmp_path / "m.csv").write_text("id,model\na,x://y\na,m.pkl\n")
    words = (tmp_path / "m.csv", "--output-dir", tmp_path, "--no-container")
    code, printed = exits("fleet", "run", *words)
    assert code == 2
    assert "row 1: " in printed.err
    assert "row 2: " in printed.err
    assert "no model was run" in printed.err
