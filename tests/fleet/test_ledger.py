"""The ledger keeps what happened, and a delivery for good."""

import sqlite3
from contextlib import closing

import pytest

from numerai_predict.fleet.ledger import FILE, FleetLedger
from numerai_predict.fleet.model_state import ModelState


@pytest.fixture
def ledger(tmp_path):
    with closing(FleetLedger(tmp_path)) as opened:
        opened.add_models(["a", "b", "c"])
        yield opened


def test_facts_are_kept_in_their_order(ledger):
    ledger.record_event("a", ModelState.INSPECTED, place="py")
    ledger.record_event("a", ModelState.RUNNING, worker="w1")
    ledger.record_event("a", ModelState.LOST, "it died")
    ledger.record_event("a", ModelState.RUNNING, worker="w2")
    ledger.record_event("a", ModelState.FAILED, verdict="model_error", message="no")
    facts = [(fact, attempt, worker) for _, fact, _, attempt, worker in ledger.events("a")]
    assert facts == [
        ("queued", 0, None),
        ("inspected", 0, None),
        ("running", 1, "w1"),
        ("lost", 1, "w1"),
        ("running", 2, "w2"),
        ("failed", 2, "w2"),
    ]
    (row,) = [row for row in ledger.rows() if row.id == "a"]
    assert (row.state, row.verdict, row.attempts, row.worker) == ("failed", "model_error", 2, "w2")
    assert row.started <= row.ended


def test_a_model_that_was_delivered_stays_so(ledger):
    ledger.record_delivery("a", {"verdict": "ok"})
    ledger.record_event("a", ModelState.QUEUED)
    ledger.add_models(["a"])
    assert ledger.state("a") == ModelState.DELIVERED
    assert ledger.count_by_verdict() == {"ok": 1}


def test_what_ran_when_the_fleet_was_killed_is_queued_again(ledger, tmp_path):
    ledger.record_event("a", ModelState.RUNNING)
    ledger.record_event("b", ModelState.FAILED, verdict="timeout")
    with closing(FleetLedger(tmp_path)) as again:
        assert again.requeue((ModelState.RUNNING,), "started again") == ["a"]
        assert again.count_by_state() == {"queued": 2, "failed": 1}


def test_two_processes_write_at_the_same_time(ledger, tmp_path):
    with closing(FleetLedger(tmp_path)) as other:
        for number in range(200):
            (ledger if number % 2 else other).record_event("a", ModelState.RUNNING)
    (row,) = [row for row in ledger.rows() if row.id == "a"]
    assert row.attempts == 200


def test_a_fact_is_whole_or_not_there(ledger, tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        ledger.record_event("a", ModelState.RUNNING, no_such_column=1)
    assert ledger.state("a") == ModelState.QUEUED
    mode = sqlite3.connect(tmp_path / FILE).execute("PRAGMA journal_mode").fetchone()
    assert mode == ("wal",)
