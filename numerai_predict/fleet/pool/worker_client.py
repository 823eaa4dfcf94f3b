"""The agent's hold on a warm worker: starting it, handing it models, noticing its end."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from numerai_predict.fleet.pool.launch import (
    WorkerSpec,
    kill_command,
    path_in_worker,
    worker_argv,
    worker_environment,
)
from numerai_predict.fleet.worker import messages
from numerai_predict.runner.protocol import Frame, FrameReader, MalformedFrame, encode

_CHUNK_BYTES = 1024 * 1024
_START_SECONDS = 300.0
_PING_SECONDS = 5.0
_SILENCE_SECONDS = 60.0
_GRACE_SECONDS = 120.0
_ENDING_SECONDS = 10.0
_MOST_ERRORS = 2_000


class WorkerLost(Exception):
    """The worker, or the part of it that held the model, ended without an answer."""


class WorkerStartFailed(Exception):
    """A worker cannot be started here; another try would not help."""


@dataclass(frozen=True)
class WorkerResponse:
    """What a worker says of a model: the record as far as it got, the answer if there is one.

    `attempts` are hosts that the model tried to reach, `log` the lines of its run,
    `worker_bytes` the memory of the process that models are forked from.
    """

    record: dict[str, Any]
    answer: dict[str, Any] | None
    payload: bytes
    attempts: list[str]
    log: bytes
    worker_bytes: int


@dataclass
class _PendingCall:
    frames: queue.SimpleQueue[Frame | None] = field(default_factory=queue.SimpleQueue)
    log: bytes = b""


class WorkerClient:
    """A started worker. Threads may hand it models at the same time.

    Raises:
        WorkerLost: it ended before it was ready.
        WorkerBroken: it says itself that it cannot be.
    """

    def __init__(self, site: WorkerSpec) -> None:
        self.name = f"numerai-fleet-{secrets.token_hex(4)}"
        self.ran = 0
        self.bytes_now = 0
        self.facts: Mapping[str, Any] = {}
        self._site = site
        self._numbers = itertools.count()
        self._talks: dict[int, _PendingCall] = {}
        self._lock = threading.Lock()
        self._heard = time.monotonic()
        self._ready: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._scratch = tempfile.TemporaryDirectory(
            prefix="scratch-", dir=site.folder, ignore_cleanup_errors=True
        )
        Path(self._scratch.name).chmod(0o1777)
        self._errors = tempfile.TemporaryFile(dir=site.folder)  # noqa: SIM115 - until `close`
        self._process = subprocess.Popen(
            worker_argv(site, self.name, Path(self._scratch.name)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=worker_environment(site, os.environ, Path(self._scratch.name)),
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether it can take a model."""
        return self._process.poll() is None and self._reader.is_alive()

    @property
    def running(self) -> int:
        """How many models it runs now."""
        return len(self._talks)

    @property
    def bytes(self) -> int:
        """Resident memory of the process that models are forked from, when it was ready."""
        return int(self.facts.get("bytes", 0))

    def run(self, request: messages.RunRequest) -> WorkerResponse:
        """Run a model; returns when it has ended.

        Raises:
            WorkerLost: the worker died, was killed or did not answer in time.
        """
        talk, number = _PendingCall(), next(self._numbers)
        self._talks[number] = talk
        self.ran += 1
        try:
            self._send(Frame(messages.RUN, {"run": number, **asdict(request)}))
            return self._reply(talk, request.seconds)
        finally:
            del self._talks[number]

    def kill(self) -> None:
        """End it at once, and what it runs."""
        if command := kill_command(self._site, self.name):
            subprocess.run(command, capture_output=True, timeout=_ENDING_SECONDS, check=False)
        self._process.kill()

    def close(self) -> None:
        """End it, and remove what it left."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait(_ENDING_SECONDS)
        self._reader.join(_ENDING_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()
        self._scratch.cleanup()

    def _start(self) -> None:
        site = self._site
        benchmarks = None if site.benchmarks is None else path_in_worker(site, site.benchmarks)
        start = messages.StartRequest(path_in_worker(site, site.dataset), benchmarks)
        self._send(Frame(messages.START, asdict(start)))
        try:
            frame = self._ready.get(timeout=_START_SECONDS)
        except queue.Empty:
            raise WorkerLost(f"not ready within {_START_SECONDS:.0f} s") from None
        if frame is None:
            raise WorkerLost(f"it ended before it was ready: {self._stderr_tail()}")
        if frame.kind == messages.BROKEN:
            raise WorkerStartFailed(str(frame.facts.get("message")))
        self.facts = frame.facts

    def _stderr_tail(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-_MOST_ERRORS:].decode(errors="replace").strip()

    def _send(self, frame: Frame) -> None:
        try:
            with self._lock:
                assert self._process.stdin is not None
                self._process.stdin.write(encode(frame))
                self._process.stdin.flush()
        except (OSError, ValueError):
            raise WorkerLost("its pipe is closed") from None

    def _reply(self, talk: _PendingCall, seconds: float | None) -> WorkerResponse:
        until = time.monotonic() + (seconds or float("inf")) + _GRACE_SECONDS
        while True:
            try:
                frame = talk.frames.get(timeout=_PING_SECONDS)
            except queue.Empty:
                self._check_alive(until)
                continue
            if frame is None or frame.kind == messages.LOST:
                raise WorkerLost(f"{self.name} died while it ran the model")
            if frame.kind == messages.LOG:
                talk.log = frame.payload
            elif frame.kind == messages.DONE:
                facts = frame.facts
                self.bytes_now = facts["worker_bytes"]
                return WorkerResponse(
                    facts["record"],
                    facts["answer"],
                    frame.payload,
                    facts["attempts"],
                    talk.log,
                    facts["worker_bytes"],
                )

    def _check_alive(self, until: float) -> None:
        """Kill a worker that is silent, or that keeps a model beyond all bounds."""
        now = time.monotonic()
        if now < until and now - self._heard < _SILENCE_SECONDS:
            self._send(Frame(messages.PING, {}))
            return
        self.kill()
        raise WorkerLost(f"{self.name} hung and was killed")

    def _read(self) -> None:
        assert self._process.stdout is not None
        reader, descriptor = FrameReader(), self._process.stdout.fileno()
        try:
            while chunk := os.read(descriptor, _CHUNK_BYTES):
                self._heard = time.monotonic()
                for frame in reader.feed(chunk):
                    self._deliver(frame)
        except (MalformedFrame, OSError):
            self._process.kill()
        self._ready.put(None)
        for talk in list(self._talks.values()):
            talk.frames.put(None)

    def _deliver(self, frame: Frame) -> None:
        if frame.kind in (messages.READY, messages.BROKEN):
            self._ready.put(frame)
        elif talk := self._talks.get(frame.facts.get("run", -1)):
            talk.frames.put(frame)
