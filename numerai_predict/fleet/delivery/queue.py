"""The agent's end of the courier: what is to be delivered, and what was."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import queue
import subprocess
import threading
import time
from dataclasses import asdict
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.record import Record
from numerai_predict.fleet.delivery import process
from numerai_predict.runner.bootstrap import bootstrap_argv

_PATIENCE_SECONDS = 150.0
_PAUSE_SECONDS = 0.1
_DELIVERY_PROCESS = "numerai_predict.fleet.delivery.process:main"


class DeliveryQueue:
    """Hands predictions to a courier, and starts another one where it died."""

    def __init__(self, directory: Path, deadline: Deadline) -> None:
        self._directory = directory
        self._deadline = deadline
        self._process: subprocess.Popen[str] | None = None
        self._stderr_tail: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._asked: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def send(self, name: str, path: Path, post: PresignedPost, record: Record) -> None:
        """Have the predictions of a model delivered."""
        asked = {
            "id": name,
            "path": str(path),
            "url": post.url,
            "fields": post.fields,
            "seconds_left": self._deadline.left(),
            "record": asdict(record),
        }
        self._asked[name] = json.dumps(asked)
        self._write(self._asked[name])

    def delivered(self) -> list[str]:
        """The models whose delivery has ended, well or not; each is told once."""
        ended = []
        while not self._stderr_tail.empty():
            name = self._stderr_tail.get()
            if self._asked.pop(name, None):
                ended.append(name)
        if self._asked and self._process is not None and self._process.poll() is not None:
            self._process = None  # it was killed: what the ledger lacks is sent again
            for line in self._asked.values():
                self._write(line)
        return ended

    def close(self) -> None:
        """Let the courier finish what it has begun."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE_SECONDS)

    def _write(self, line: str) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            bootstrap_argv(_DELIVERY_PROCESS, str(self._directory)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=dict(os.environ),
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._stderr_tail.put(str(json.loads(line)["id"]))


def wait_for_delivery_process(directory: Path) -> bool:
    """Wait until a courier whose agent was killed has finished; whether it has."""
    until = time.monotonic() + _PATIENCE_SECONDS
    with open(directory / process.LOCK, "w") as lock:
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            time.sleep(_PAUSE_SECONDS)
    return False
