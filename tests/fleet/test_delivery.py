"""A delivery process that crashes is started again, but not without end."""

import os
import signal
from contextlib import closing

import pytest
from fleets import wait_until

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.fleet.delivery.messages import LOCK_FILE, DeliveryRequest, DeliveryTicket
from numerai_predict.fleet.delivery.queue import DeliveryQueue, wait_for_delivery_process
from numerai_predict.fleet.errors import DeliveryProcessFailed
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.ledger_rows import DeliveryStart
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.storage.file_lock import file_lock

RECORD = Record(environment=EnvironmentFacts("3.12", None, "0"))
TICKET = DeliveryTicket("this run", "key", "these predictions")
SECRET = "post-canary-77aa"


@pytest.fixture
def ledger(tmp_path):
    with closing(FleetLedger(tmp_path)) as opened:
        opened.add_models(dict.fromkeys(["a", "b"], ()))
        opened.begin_run(TICKET.run)
        opened.record_event("a", ModelState.PREDICTED, key=TICKET.key, destination="there")
        yield opened


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,prediction\n")
    return path


def new_queue(tmp_path, max_restarts=1):
    return closing(DeliveryQueue(tmp_path, Deadline.after(60), max_restarts))


def crash(queue):
    os.kill(queue._process.pid, signal.SIGKILL)
    queue._process.wait()


def test_a_request_is_the_same_after_its_way_to_the_process(csv):
    post = PresignedPost("https://bucket/", (("key", "a"), ("policy", SECRET)))
    request = DeliveryRequest("a", csv, post, 12.5, RECORD, TICKET)
    assert DeliveryRequest.from_json(request.to_json()) == request
    assert SECRET not in repr(request)


@pytest.mark.process
def test_a_delivery_is_recorded_and_reported(tmp_path, ledger, csv, web):
    web.replies["/bucket"] = lambda _: web.reply(b"", 204)
    post = PresignedPost(f"{web.url}/bucket", (("key", "a"),))
    with new_queue(tmp_path) as queue:
        queue.send("a", csv, post, RECORD, TICKET)
        assert len(queue) == 1
        wait_until(lambda: queue.take_completed() == ["a"])
        assert len(queue) == 0
    assert ledger.state("a") is ModelState.DELIVERED
    assert ledger.record("a")["verdict"] == "ok"


@pytest.mark.process
def test_a_delivery_process_that_crashed_is_started_again(tmp_path, ledger, csv, web):
    post = PresignedPost(f"{web.url}/bucket", (("key", "a"),))
    with new_queue(tmp_path) as queue:
        queue.send("a", csv, post, RECORD, TICKET)
        crash(queue)
        web.replies["/bucket"] = lambda _: web.reply(b"", 204)
        queue.restart_if_crashed()
        wait_until(lambda: queue.take_completed() == ["a"])
    assert ledger.state("a") is ModelState.DELIVERED


@pytest.mark.process
def test_a_delivery_process_that_crashes_again_and_again_stops_the_fleet_run(
    tmp_path, ledger, csv, closed_port
):
    post = PresignedPost(f"http://127.0.0.1:{closed_port}/", (("key", "a"),))
    with new_queue(tmp_path, max_restarts=1) as queue:
        queue.send("a", csv, post, RECORD, TICKET)
        crash(queue)
        queue.restart_if_crashed()
        crash(queue)
        with pytest.raises(DeliveryProcessFailed, match=r"ended 2 times in a row, last with .* -9"):
            queue.restart_if_crashed()
    assert ledger.state("a") is not ModelState.DELIVERED


def test_the_directory_is_free_when_no_delivery_process_holds_its_lock(tmp_path, monkeypatch):
    assert wait_for_delivery_process(tmp_path)
    monkeypatch.setattr("numerai_predict.fleet.delivery.queue._EXIT_SECONDS", 0.1)
    with file_lock(tmp_path / LOCK_FILE):
        assert not wait_for_delivery_process(tmp_path)


@pytest.mark.process
@pytest.mark.parametrize("change", ["another run", "another result"])
def test_a_delivery_that_is_no_longer_wanted_does_not_begin(tmp_path, ledger, csv, web, change):
    web.replies["/bucket"] = lambda _: web.reply(b"", 204)
    post = PresignedPost(f"{web.url}/bucket", (("key", "a"),))
    if change == "another run":
        ledger.begin_run("the next run")
    else:
        ledger.withdraw(["a"], "its data changed")
    with new_queue(tmp_path) as queue:
        queue.send("a", csv, post, RECORD, TICKET)
    assert web.requests == []
    assert ledger.state("a") is not ModelState.DELIVERED


@pytest.mark.process
def test_predictions_that_the_destination_has_are_not_delivered_again(tmp_path, ledger, csv, web):
    web.replies["/bucket"] = lambda _: web.reply(b"", 204)
    post = PresignedPost(f"{web.url}/bucket", (("key", "a"),))
    for _ in range(2):
        with new_queue(tmp_path) as queue:
            queue.send("a", csv, post, RECORD, TICKET)
            wait_until(lambda queue=queue: queue.take_completed() == ["a"])
        assert ledger.state("a") is ModelState.DELIVERED
        message = ledger.record("a")["message"]
        ledger.withdraw(["a"], "its file was lost")
        ledger.record_event("a", ModelState.PREDICTED, key=TICKET.key, destination="there")
    assert len(web.requests) == 1
    assert message == f"delivered to {web.url}/bucket by an earlier fleet run"


def begin(ledger, delivery, destination):
    """Begin the delivery of a result; whether it is to be uploaded."""
    ledger.withdraw(["a"], "another result")
    ledger.record_event("a", ModelState.PREDICTED, key=TICKET.key, destination=destination)
    return ledger.begin_delivery("a", TICKET.key, delivery, TICKET.run) is DeliveryStart.BEGUN


def deliver(ledger, delivery, destination):
    """As `begin`; the upload ends well."""
    begun = begin(ledger, delivery, destination)
    ledger.record_delivery("a", {"verdict": "ok"}, delivery)
    return begun


def test_predictions_that_go_elsewhere_and_return_are_not_delivered_again(ledger):
    assert deliver(ledger, "x here", "here")
    assert deliver(ledger, "x there", "there")
    assert not deliver(ledger, "x here", "here")
    assert not deliver(ledger, "x there", "there")


def test_predictions_that_another_upload_replaced_are_delivered_again(ledger):
    assert deliver(ledger, "x here", "here")
    assert deliver(ledger, "y here", "here")
    assert deliver(ledger, "x here", "here")


def test_an_upload_that_did_not_end_may_have_replaced_what_was_delivered(ledger):
    assert deliver(ledger, "x here", "here")
    assert deliver(ledger, "x there", "there")
    assert begin(ledger, "y here", "here")
    assert deliver(ledger, "x here", "here")
    assert not deliver(ledger, "x there", "there")
