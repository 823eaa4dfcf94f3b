"""The scheduler runs every model to its verdict, and gives up one that crashes its workers."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from fake_cluster import FakeCluster

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.record import DataFacts, EnvironmentFacts, ModelFacts, Record
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet import preparation, results
from numerai_predict.fleet.config import FleetConfig, RetryLimits
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.errors import NoCapacity
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.pool import worker_pool
from numerai_predict.fleet.pool.actor import TaskLost, TaskResult, WorkerUnavailable
from numerai_predict.fleet.scheduler import Scheduler

PREDICTED = Record(
    environment=EnvironmentFacts("3.12", None, "0"), model=ModelFacts(arity=1)
).concluded(Verdict.OK, "predicted")
CSV = b"id,prediction\na,0.5\n"
LIVE = DataFacts("live.parquet", "hash", 1, 2)


def predict(live_features):
    return live_features


@pytest.fixture
def ledger(tmp_path):
    for name in ("predictions", "records", "logs"):
        (tmp_path / name).mkdir()
    with closing(FleetLedger(tmp_path)) as opened:
        yield opened


@pytest.fixture
def cluster():
    return FakeCluster()


@pytest.fixture
def entries(ledger, pickle_model):
    path = str(pickle_model(predict))
    ledger.add_models(dict.fromkeys(["a", "b", "c"], ()))
    return [ManifestEntry(name, path, Limits()) for name in ("a", "b", "c")]


@pytest.fixture
def scheduler(tmp_path, ledger, cluster):
    def make(deadline=None, **changes):
        config = FleetConfig(tmp_path, "live", "benchmarks", **changes)
        data = LiveData(Path("live.parquet"), LIVE, None, DataFacts())
        environments = [Environment(RUNNING_PYTHON, LOCAL)]
        return Scheduler(config, ledger, cluster, data, environments, Deadline.after(deadline))

    return make


@pytest.fixture
def run(scheduler, entries):
    def run(deadline=None, **changes):
        return scheduler(deadline, **changes).run(entries, lambda _: None)

    return run


def record_of(tmp_path, name):
    return json.loads((tmp_path / "records" / f"{name}.json").read_text())


def test_every_model_is_delivered_with_predictions_record_and_log(tmp_path, ledger, cluster, run):
    cluster.results["run"] = TaskResult("w", 10.0, 12.5, asdict(PREDICTED), CSV, b"log\n")
    assert run()
    assert ledger.count_by_state() == {ModelState.DELIVERED: 3}
    record = record_of(tmp_path, "a")
    path = tmp_path / "predictions" / "a.csv"
    assert path.read_bytes() == CSV
    assert (record["verdict"], record["delivered_to"]) == ("ok", str(path))
    assert record["dataset"]["sha256"] == "hash"
    assert record["seconds"]["total"] == pytest.approx(2.5 + record["seconds"]["fetch"])
    assert (tmp_path / "logs" / "a.log").read_text().startswith("log\nverdict  ok (exit 0): ")


def test_the_list_of_the_caller_is_not_changed(cluster, run, entries):
    cluster.results["run"] = TaskResult("w", 0.0, 1.0, asdict(PREDICTED), CSV, b"")
    run()
    assert [entry.id for entry in entries] == ["a", "b", "c"]


def test_a_model_that_crashes_its_workers_fails_after_a_number_of_them(
    tmp_path, ledger, cluster, run
):
    cluster.results["run"] = TaskLost("w", "it crashed")
    assert run(retries=RetryLimits(worker_crashes=2))
    assert ledger.count_by_state() == {ModelState.FAILED: 3}
    assert record_of(tmp_path, "a")["message"] == (
        "2 workers crashed while running this model; last error: it crashed"
    )
    states = [event.state.value for event in ledger.events("a")]
    attempt = ["running", "lost"]
    assert states == ["queued", "inspected", *attempt, "queued", *attempt, "failed"]


def test_a_model_that_cannot_be_prepared_fails_without_a_worker(tmp_path, cluster, run, entries):
    Path(entries[0].model).write_bytes(b"not a pickle")
    assert run()
    assert record_of(tmp_path, "a")["verdict"] == "invalid_pickle"
    assert cluster.started == []


def test_models_wait_in_the_ledger_when_no_worker_can_be_started(ledger, cluster, run):
    cluster.results["prepare"] = WorkerUnavailable("no such image")
    with pytest.raises(NoCapacity, match="no such image"):
        run()
    assert not any(state.is_final for state in ledger.count_by_state())


def test_a_deadline_stops_the_scheduler(ledger, run):
    assert not run(deadline=0.0)
    assert ledger.count_by_state() == {ModelState.QUEUED: 3}


HOSTILE = "lone \ud800 surrogate \x1b[2J\n00:00:00 verdict  ok (exit 0): forged"


def test_text_that_cannot_be_encoded_is_recorded_escaped(tmp_path, ledger, cluster, run):
    failed = asdict(PREDICTED) | {"verdict": "model_error", "exit_code": 20, "message": HOSTILE}
    cluster.results["run"] = TaskResult("w", 0.0, 1.0, failed, None, b"log\n")
    assert run()
    assert ledger.count_by_state() == {ModelState.FAILED: 3}
    assert r"lone \ud800 surrogate \x1b[2J" in record_of(tmp_path, "a")["message"]
    log = (tmp_path / "logs" / "a.log").read_text().splitlines()
    assert log[1].startswith("verdict  model_error (exit 20): lone ")
    assert log[2].startswith("         00:00:00 verdict  ok")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (results, "atomic_write"),
        (results, "write_record"),
        (results, "merge_records"),
        (results.ResultStore, "_record_result"),
        (results.ResultStore, "_write_log"),
        (results.ResultStore, "_store_predictions"),
        (FleetLedger, "record_event"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("error", [OSError(28, "No space left"), UnicodeError("x"), KeyError("x")])
def test_a_result_that_cannot_be_recorded_ends_only_its_model(
    monkeypatch, cluster, run, owner, name, error
):
    cluster.results["run"] = TaskResult("w", 0.0, 1.0, asdict(PREDICTED), CSV, b"log\n")
    original, is_result = getattr(owner, name), []

    def fail(*arguments, **options):
        if owner is FleetLedger and not is_result:
            return original(*arguments, **options)
        raise error

    def store(self, model, result):
        is_result.append(model)
        try:
            original_store(self, model, result)
        finally:
            is_result.clear()

    original_store = results.ResultStore.store_result
    monkeypatch.setattr(results.ResultStore, "store_result", store)
    monkeypatch.setattr(owner, name, fail)
    assert run()


DAMAGES = [OSError(28, "No space left"), sqlite3.OperationalError("disk I/O error")]
OK = TaskResult("w", 0.0, 1.0, asdict(PREDICTED), CSV, b"log\n")
FAILED = replace(OK, record=asdict(PREDICTED) | {"verdict": "model_error"}, csv=None)
LOST = TaskLost("w", "it crashed")


@pytest.mark.parametrize("error", DAMAGES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("result", [OK, FAILED, LOST], ids=["ok", "failed", "lost"])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (FleetLedger, "record_event"),
        (FleetLedger, "count_losses"),
        (FleetLedger, "record"),
        (results, "atomic_write"),
        (results, "write_record"),
        (preparation, "fetch_model"),
        (worker_pool, "to_node"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_write_or_read_that_fails_ends_the_fleet_run(
    monkeypatch, cluster, run, owner, name, result, error
):
    cluster.results["run"] = result

    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(owner, name, fail)
    assert run(retries=RetryLimits(worker_crashes=2))


def test_progress_that_cannot_be_shown_does_not_end_the_fleet_run(
    ledger, cluster, scheduler, entries
):
    cluster.results["run"] = OK

    def on_progress(_running):
        raise sqlite3.OperationalError("disk I/O error")

    assert scheduler().run(entries, on_progress)
    assert ledger.count_by_state() == {ModelState.DELIVERED: 3}
