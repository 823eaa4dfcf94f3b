"""Files of the version before the rewrite (commit 35d62a1) are read as they are.

`previous_version` contains what that version wrote: ledger and records of a fleet run of two
models, the ledger of a round, the manifest of a snapshot, two checkpoints of a training and the
manifest of its bundle.
"""

import gzip
import json
import shutil
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from numerai_predict.contract.record import Record
from numerai_predict.contract.trained_eras import TrainedEras
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.storage.snapshot_manifest import (
    read_snapshot_manifest,
    write_snapshot_manifest,
)
from numerai_predict.tournament.round_ledger import RoundLedger
from numerai_predict.training.checkpoints import Checkpoints

FILES = Path(__file__).parent / "previous_version"
CHECKPOINTS = sorted((FILES / "training/checkpoints").glob("*.checkpoint"))


@pytest.fixture
def fleet_ledger(tmp_path):
    archive = FILES / "fleet/fleet.sqlite.gz"
    (tmp_path / "fleet.sqlite").write_bytes(gzip.decompress(archive.read_bytes()))
    with closing(FleetLedger(tmp_path)) as ledger:
        yield ledger


def test_the_rows_of_a_fleet_ledger_are_read(fleet_ledger):
    rows = {row.id: (row.state, row.verdict, row.attempts) for row in fleet_ledger.rows()}
    assert rows == {
        "good": (ModelState.DELIVERED, "ok", 1),
        "broken": (ModelState.FAILED, "model_error", 1),
    }
    assert all(row.environment == "the local Python 3.11" for row in fleet_ledger.rows())


def test_the_events_of_a_fleet_ledger_are_read(fleet_ledger):
    states = [event.state for event in fleet_ledger.events("broken")]
    assert states == [
        ModelState.QUEUED,
        ModelState.INSPECTED,
        ModelState.RUNNING,
        ModelState.FAILED,
    ]


def test_a_fleet_run_is_resumed_where_the_previous_version_stopped(fleet_ledger):
    fleet_ledger.add_models(dict.fromkeys(["good", "broken", "new"], ()))
    assert fleet_ledger.requeue([ModelState.FAILED], "retry") == ["broken"]
    assert fleet_ledger.state("good") is ModelState.DELIVERED
    assert fleet_ledger.state("new") is ModelState.QUEUED


@pytest.mark.parametrize("name", ["good", "broken"])
def test_a_record_is_read_and_written_back_with_the_same_values_and_the_new_keys(name):
    content = (FILES / f"fleet/records/{name}.json").read_text()
    record = Record.from_dict(json.loads(content))
    hosted = {"accepted": None, "reasons": []}
    acceleration = {"used": None, "reasons": []}
    new = {"hosted": hosted, "acceleration": acceleration}
    assert json.loads(record.as_json()) == {**json.loads(content), **new}


def test_the_record_in_a_fleet_ledger_is_read(fleet_ledger):
    stored = fleet_ledger.record("good")
    written = json.loads((FILES / "fleet/records/good.json").read_text())
    assert json.loads(Record.from_dict(stored).as_json())["predictions"] == written["predictions"]


def test_the_ledger_of_a_round_is_read_and_kept_on_an_update(tmp_path):
    content = json.loads((FILES / "round/ledger.json").read_text())
    ledger = RoundLedger.at(tmp_path, content["round"], content["model"])
    ledger.folder.mkdir(parents=True)
    shutil.copy(FILES / "round/ledger.json", ledger.folder)
    assert asdict(ledger.read()) == content
    changed = ledger.update(finished=None)
    assert asdict(changed) == {**content, "finished": None}


def test_the_manifest_of_a_snapshot_is_read_and_written_back(tmp_path):
    content = json.loads((FILES / "snapshot/manifest.json").read_text())
    entries = read_snapshot_manifest(FILES / "snapshot")
    assert {name: entry.sha256 for name, entry in entries.items()} == {
        name: entry["sha256"] for name, entry in content["files"].items()
    }
    write_snapshot_manifest(tmp_path, entries)
    written = json.loads((tmp_path / "manifest.json").read_text())
    assert written["form"] == content["form"]
    for name, entry in content["files"].items():
        assert entry.items() <= written["files"][name].items()


@pytest.mark.parametrize("path", CHECKPOINTS, ids=lambda path: path.stem)
def test_a_checkpoint_is_found_by_the_facts_of_the_previous_version(path):
    header, _, body = path.read_bytes().partition(b"\n")
    content = json.loads(header)
    label = path.stem.rpartition("-")[0]
    stored = Checkpoints(path.parent).get(label, content["facts"])
    assert stored is not None
    assert (stored.body, stored.sha256) == (body, content["sha256"])
    assert stored.result == content["told"]


def test_a_change_since_the_previous_version_is_named():
    path = CHECKPOINTS[0]
    facts = json.loads(path.read_bytes().partition(b"\n")[0])["facts"]
    label = path.stem.rpartition("-")[0]
    changed = {**facts, "seed": facts["seed"] + 1}
    assert Checkpoints(path.parent).changes(label, changed) == ["seed was 42, is 43"]


def test_the_trained_eras_are_read_from_the_manifest_of_a_bundle():
    manifest = json.loads((FILES / "training/manifest.json").read_text())
    found = TrainedEras.from_manifest(manifest, manifest["model"]["sha256"])
    assert found is not None
    assert asdict(found) == manifest["trained_on"]
