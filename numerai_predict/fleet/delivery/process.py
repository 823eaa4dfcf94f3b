"""The process that delivers: it outlives an agent that is killed, and writes what it did.

    python -m numerai_predict.fleet.delivery.process DIRECTORY

Each line on its standard input is a delivery; when there are no more lines it finishes those that
it has begun. Between a server's answer and the ledger there is no step that an agent's end
could break: a delivery that was answered is in the ledger.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import queue
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.storage.destinations import PostForm, deliver
from numerai_predict.storage.retry import TransferPolicy

LOCK = ".courier.lock"
_THREADS = 4


def main() -> int:
    """Deliver until the agent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an agent that is interrupted closes the pipe
    harden_supervisor()
    directory = Path(sys.argv[1])
    with open(directory / LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        courier = _DeliveryProcess(directory)
        with ThreadPoolExecutor(_THREADS) as pool:
            for line in sys.stdin:
                courier.waiting.put(json.loads(line))
                pool.submit(courier.deliver_one)
            courier.stop()
    return 0


class _DeliveryProcess:
    def __init__(self, directory: Path) -> None:
        self._ledger = FleetLedger(directory)
        self._lock = threading.Lock()
        self.waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def stop(self) -> None:
        """Begin nothing more: what waits stays in the ledger, for the next agent."""
        while not self.waiting.empty():
            self.waiting.get()

    def deliver_one(self) -> None:
        """Deliver the one that has waited longest."""
        try:
            asked = self.waiting.get_nowait()
        except queue.Empty:
            return
        name, record = asked["id"], Record.from_dict(asked["record"])
        with self._lock:
            if self._ledger.state(name) == ModelState.DELIVERED:
                self._tell(name)
                return
            self._ledger.record_event(name, ModelState.SENT)
        record = self._send(asked, record)
        with self._lock:
            facts = json.loads(record.as_json())
            if record.exit_code == 0:
                self._ledger.record_delivery(name, facts)
            else:
                self._ledger.record_event(
                    name,
                    ModelState.FAILED,
                    verdict=record.verdict,
                    message=record.message,
                    record=json.dumps(facts),
                )
            self._tell(name)

    def _tell(self, name: str) -> None:
        with contextlib.suppress(OSError):  # the agent is gone; the ledger has it
            sys.stdout.write(json.dumps({"id": name}) + "\n")
            sys.stdout.flush()

    def _send(self, asked: dict[str, Any], earlier: Record) -> Record:
        post = PresignedPost(asked["url"], tuple(map(tuple, asked["fields"])))
        terms = TransferPolicy(Deadline.after(asked["seconds_left"]))
        record = RecordBuilder.resume(earlier)
        try:
            with record.timed(Step.DELIVER):
                destination = deliver(Path(asked["path"]), [PostForm(post)], terms)
            record.set_destination(destination)
            record.conclude(Verdict.OK, f"delivered to {destination}")
        except RunError as error:
            record.fail(error)
        return record.build()


if __name__ == "__main__":
    sys.exit(main())
