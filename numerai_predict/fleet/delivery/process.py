"""The delivery process: uploads predictions, and records each result in the ledger.

It outlives a coordinator that is killed. Each line on its standard input is a delivery request.
At the end of its input it finishes the uploads that it has begun; requests that it has not begun
stay in the ledger, for the next fleet run. It writes the id of each model to its standard output
after the ledger has the result, so that a crash of the coordinator loses no delivery.
"""

from __future__ import annotations

import contextlib
import json
import math
import queue
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.delivery.messages import LOCK_FILE, DeliveryRequest
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.ledger_rows import DeliveryStart
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.storage.destinations import PostForm, deliver
from numerai_predict.storage.file_lock import file_lock
from numerai_predict.storage.retry import TransferPolicy

_THREADS = 4


def main() -> int:
    """Deliver until the coordinator closes the input."""
    # Ctrl-C reaches this process too; the interrupted coordinator closes the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    harden_supervisor()
    directory = Path(sys.argv[1])
    with file_lock(directory / LOCK_FILE, wait=math.inf):
        process = _DeliveryProcess(FleetLedger(directory))
        with ThreadPoolExecutor(_THREADS) as threads:
            for line in sys.stdin:
                process.add(DeliveryRequest.from_json(line))
                threads.submit(process.deliver_next)
            process.discard_requests()
    return 0


class _DeliveryProcess:
    def __init__(self, ledger: FleetLedger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._requests: queue.SimpleQueue[DeliveryRequest] = queue.SimpleQueue()

    def add(self, request: DeliveryRequest) -> None:
        """Queue a request."""
        self._requests.put(request)

    def discard_requests(self) -> None:
        """Begin no more deliveries."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._requests.get_nowait()

    def deliver_next(self) -> None:
        """Deliver the oldest request, unless that was done or is no longer wanted."""
        try:
            request = self._requests.get_nowait()
        except queue.Empty:
            return
        ticket = request.ticket
        with self._lock:
            start = self._ledger.begin_delivery(
                request.model_id, ticket.key, ticket.delivery, ticket.run
            )
        if start is DeliveryStart.SUPERSEDED:
            return
        if start is not DeliveryStart.RECORDED:
            begun = start is DeliveryStart.BEGUN
            record = _upload(request) if begun else _delivered_before(request)
            with self._lock:
                self._record_result(request.model_id, record, ticket.delivery)
        self._report(request.model_id)

    def _record_result(self, model_id: str, record: Record, delivery: str) -> None:
        content = json.loads(record.as_json())
        if record.exit_code == Verdict.OK.exit_code:
            self._ledger.record_delivery(model_id, content, delivery)
            return
        self._ledger.record_event(
            model_id,
            ModelState.FAILED,
            verdict=record.verdict,
            message=record.message,
            record=json.dumps(content),
        )

    def _report(self, model_id: str) -> None:
        # Without a coordinator nothing reads the output: the ledger has the result.
        with contextlib.suppress(OSError), self._lock:
            sys.stdout.write(json.dumps({"id": model_id}) + "\n")
            sys.stdout.flush()


def _delivered_before(request: DeliveryRequest) -> Record:
    """The record of predictions that an earlier fleet run delivered to the same destination."""
    destination = redact(request.post.url)
    record = replace(request.record, delivered_to=destination)
    return record.concluded(Verdict.OK, f"delivered to {destination} by an earlier fleet run")


def _upload(request: DeliveryRequest) -> Record:
    builder = RecordBuilder.resume(request.record)
    policy = TransferPolicy(Deadline.after(request.seconds_left))
    try:
        with builder.timed(Step.DELIVER):
            destination = deliver(request.path, [PostForm(request.post)], policy)
        builder.set_destination(destination)
        builder.conclude(Verdict.OK, f"delivered to {destination}")
    except RunError as error:
        builder.fail(error)
    return builder.build()
