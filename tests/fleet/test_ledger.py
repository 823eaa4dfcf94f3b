"""The ledger logs events, and never loses a delivery."""

import sqlite3
from contextlib import closing

import pytest

from numerai_predict.fleet.ledger import FILE, FleetLedger
from numerai_predict.fleet.model_state import ModelState


@pytest.fixture
def ledger(tmp_path):
    with closing(FleetLedger(tmp_path)) as opened:
        opened.add_models(dict.fromkeys(["a", "b", "c"], ()))
        yield opened


def test_events_are_logged_in_their_order(ledger):
    ledger.record_event("a", ModelState.INSPECTED, place="py")
    ledger.record_event("a", ModelState.RUNNING, worker="w1")
    ledger.record_event("a", ModelState.LOST, "it crashed")
    ledger.record_event("a", ModelState.RUNNING, worker="w2")
    ledger.record_event("a", ModelState.FAILED, verdict="model_error", message="no")
    events = [(event.state, event.attempt, event.worker) for event in ledger.events("a")]
    assert events == [
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


def test_a_delivered_model_stays_delivered(ledger):
    ledger.record_delivery("a", {"verdict": "ok"}, "delivery")
    ledger.record_event("a", ModelState.QUEUED)
    ledger.add_models(dict.fromkeys(["a"], ()))
    assert ledger.state("a") == ModelState.DELIVERED
    assert ledger.verdicts() == {"a": "ok"}


def test_models_that_ran_when_the_coordinator_was_killed_are_queued_again(ledger, tmp_path):
    ledger.record_event("a", ModelState.RUNNING)
    ledger.record_event("b", ModelState.FAILED, verdict="timeout")
    with closing(FleetLedger(tmp_path)) as again:
        assert again.requeue((ModelState.RUNNING,), "started again") == ["a"]
        assert again.count_by_state() == {"queued": 2, "failed": 1}


def test_two_connections_write_at_the_same_time(ledger, tmp_path):
    with closing(FleetLedger(tmp_path)) as other:
        for number in range(200):
            (ledger if number % 2 else other).record_event("a", ModelState.RUNNING)
    (row,) = [row for row in ledger.rows() if row.id == "a"]
    assert row.attempts == 200


def test_an_event_is_written_completely_or_not_at_all(ledger, tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        ledger.record_event("a", ModelState.RUNNING, no_such_column=1)
    assert ledger.state("a") == ModelState.QUEUED
    mode = sqlite3.connect(tmp_path / FILE).execute("PRAGMA journal_mode").fetchone()
    assert mode == ("wal",)
