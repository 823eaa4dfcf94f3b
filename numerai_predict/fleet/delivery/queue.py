"""The coordinator's side of deliveries: requests to the delivery process, and its reports."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from pathlib import Path

from numerai_predict.contract.bootstrap import bootstrap_argv
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.record import Record
from numerai_predict.fleet.delivery.messages import LOCK_FILE, DeliveryRequest, DeliveryTicket
from numerai_predict.fleet.errors import DeliveryProcessFailed
from numerai_predict.storage.file_lock import LockHeld, file_lock

# Enough for the uploads that it has begun.
_EXIT_SECONDS = 150.0
_ENTRYPOINT = "numerai_predict.fleet.delivery.process:main"


class DeliveryQueue:
    """Deliveries that have not ended; `len` counts them.

    The delivery process starts with the first request. One that crashes is started again, at most
    `max_restarts` times without a delivery in between.
    """

    def __init__(self, directory: Path, deadline: Deadline, max_restarts: int) -> None:
        self._directory = directory
        self._deadline = deadline
        self._max_restarts = max_restarts
        self._restarts = 0
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._reported: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._pending: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def send(
        self,
        model_id: str,
        path: Path,
        post: PresignedPost,
        record: Record,
        ticket: DeliveryTicket,
    ) -> None:
        """Deliver the predictions of a model."""
        request = DeliveryRequest(model_id, path, post, self._deadline.left(), record, ticket)
        self._pending[model_id] = request.to_json()
        if self._process is None:
            self._start()
        self._write(self._pending[model_id])

    def take_completed(self) -> list[str]:
        """The models whose delivery ended since the last call, with any verdict."""
        completed = []
        while not self._reported.empty():
            model_id = self._reported.get()
            if self._pending.pop(model_id, None):
                completed.append(model_id)
                self._restarts = 0
        return completed

    def restart_if_crashed(self) -> None:
        """Send all pending requests to a new delivery process if the last one ended.

        It does not send again what the ledger has as delivered.

        Raises:
            DeliveryProcessFailed: there were too many restarts without a delivery.
        """
        if not self._pending or self._process is None or self._process.poll() is None:
            return
        if self._restarts >= self._max_restarts:
            raise DeliveryProcessFailed(
                f"expected the delivery process to run, found that it ended {self._restarts + 1} "
                f"times in a row, last with status {self._process.returncode}: see its output "
                "above, then start the same command again to deliver the predictions"
            )
        self._restarts += 1
        self._close_input()
        self._start()
        for line in self._pending.values():
            self._write(line)

    def close(self) -> None:
        """Wait until the delivery process has finished what it has begun."""
        if self._process is None or self._reader is None:
            return
        self._close_input()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_SECONDS)
            self._reader.join(_EXIT_SECONDS)

    def _close_input(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _write(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it crashed: see `restart_if_crashed`
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            bootstrap_argv(_ENTRYPOINT, str(self._directory)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=dict(os.environ),
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as reports:
            for line in reports:
                self._reported.put(str(json.loads(line)["id"]))


def wait_for_delivery_process(directory: Path) -> bool:
    """Wait for the delivery process of a coordinator that was killed; whether it has ended."""
    try:
        with file_lock(directory / LOCK_FILE, wait=_EXIT_SECONDS):
            return True
    except LockHeld:
        return False
