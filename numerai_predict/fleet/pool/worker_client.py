"""The client of a worker: starts it, sends it models, and notices when it crashes or hangs."""

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
from numerai_predict.fleet.worker.messages import (
    MessageKind,
    RunRequest,
    RunResult,
    StartRequest,
)
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import Frame, FrameReader, encode

_CHUNK_BYTES = 1024 * 1024
_START_SECONDS = 300.0
_PING_SECONDS = 5.0
_MAX_SILENCE_SECONDS = 60.0
# A model whose supervisor does not enforce its time limit is given up this much later.
_GRACE_SECONDS = 120.0
_EXIT_SECONDS = 10.0
_STDERR_TAIL_BYTES = 2_000


class WorkerLost(Exception):
    """The worker, or its supervisor of the model, ended without a response."""


class WorkerStartFailed(Exception):
    """No worker can be started here; another attempt would not help."""


@dataclass(frozen=True)
class WorkerResponse:
    """The result of a run, the payload of the model's response, and the log lines of the run."""

    result: RunResult
    payload: bytes
    log: bytes


@dataclass
class _PendingCall:
    frames: queue.SimpleQueue[Frame | None] = field(default_factory=queue.SimpleQueue)


class WorkerClient:
    """A worker that has started. Threads may run models in it at the same time.

    Raises:
        WorkerLost: the worker ended before it was ready.
        WorkerStartFailed: the worker reported that it cannot start here.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        self.name = f"numerai-fleet-{secrets.token_hex(4)}"
        self.models_run = 0
        self.facts: Mapping[str, Any] = {}
        self._spec = spec
        self._zygote_bytes = 0
        self._run_numbers = itertools.count()
        self._pending: dict[int, _PendingCall] = {}
        self._lock = threading.Lock()
        self._last_frame_at = time.monotonic()
        self._start_responses: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._scratch = tempfile.TemporaryDirectory(
            prefix="scratch-", dir=spec.folder, ignore_cleanup_errors=True
        )
        Path(self._scratch.name).chmod(0o1777)
        self._stderr = tempfile.TemporaryFile(dir=spec.folder)  # noqa: SIM115 - until `close`
        self._process = subprocess.Popen(
            worker_argv(spec, self.name, Path(self._scratch.name)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=worker_environment(spec, os.environ, Path(self._scratch.name)),
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
    def is_alive(self) -> bool:
        """Whether it can run models."""
        return self._process.poll() is None and self._reader.is_alive()

    @property
    def running(self) -> int:
        """How many models it runs now."""
        return len(self._pending)

    @property
    def growth_bytes(self) -> int:
        """How much the resident memory of the zygote grew since it was ready."""
        return self._zygote_bytes - int(self.facts.get("bytes", 0))

    def run(self, request: RunRequest) -> WorkerResponse:
        """Run a model; returns when it has ended.

        Raises:
            WorkerLost: the worker crashed, was killed, or did not respond in time.
        """
        call, number = _PendingCall(), next(self._run_numbers)
        self._pending[number] = call
        self.models_run += 1
        try:
            self._send(Frame(MessageKind.RUN, {"run": number, **asdict(request)}))
            return self._wait_for_response(call, request.seconds)
        finally:
            del self._pending[number]

    def kill(self) -> None:
        """Kill it and everything that it runs."""
        if command := kill_command(self._spec, self.name):
            subprocess.run(command, capture_output=True, timeout=_EXIT_SECONDS, check=False)
        self._process.kill()

    def close(self) -> None:
        """Stop it, and remove the files that it left."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait(_EXIT_SECONDS)
        self._reader.join(_EXIT_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._stderr.close()
        self._scratch.cleanup()

    def _start(self) -> None:
        spec = self._spec
        benchmarks = None if spec.benchmarks is None else path_in_worker(spec, spec.benchmarks)
        request = StartRequest(path_in_worker(spec, spec.dataset), benchmarks)
        self._send(Frame(MessageKind.START, asdict(request)))
        try:
            frame = self._start_responses.get(timeout=_START_SECONDS)
        except queue.Empty:
            raise WorkerLost(f"the worker was not ready within {_START_SECONDS:.0f} s") from None
        if frame is None:
            raise WorkerLost(f"the worker ended before it was ready: {self._stderr_tail()}")
        if frame.kind == MessageKind.BROKEN:
            raise WorkerStartFailed(str(frame.content.get("message")))
        self.facts = frame.content

    def _stderr_tail(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read()[-_STDERR_TAIL_BYTES:].decode(errors="replace").strip()

    def _send(self, frame: Frame) -> None:
        try:
            with self._lock:
                assert self._process.stdin is not None
                self._process.stdin.write(encode(frame))
                self._process.stdin.flush()
        except (OSError, ValueError):
            raise WorkerLost(f"the worker {self.name} closed its input") from None

    def _wait_for_response(self, call: _PendingCall, seconds: float | None) -> WorkerResponse:
        give_up_at, log = time.monotonic() + (seconds or float("inf")) + _GRACE_SECONDS, b""
        while True:
            try:
                frame = call.frames.get(timeout=_PING_SECONDS)
            except queue.Empty:
                self._check_responsive(give_up_at)
                continue
            if frame is None or frame.kind == MessageKind.LOST:
                raise WorkerLost(f"the worker {self.name} crashed while it ran the model")
            if frame.kind == MessageKind.LOG:
                log = frame.payload
            elif frame.kind == MessageKind.DONE:
                response = _response(frame, log)
                self._zygote_bytes = response.result.worker_bytes
                return response

    def _check_responsive(self, give_up_at: float) -> None:
        """Ping the worker; kill it if it is silent, or does not finish a run in time."""
        now = time.monotonic()
        if now < give_up_at and now - self._last_frame_at < _MAX_SILENCE_SECONDS:
            self._send(Frame(MessageKind.PING, {}))
            return
        self.kill()
        raise WorkerLost(f"the worker {self.name} did not respond and was killed")

    def _read(self) -> None:
        assert self._process.stdout is not None
        reader, descriptor = FrameReader(), self._process.stdout.fileno()
        try:
            while chunk := os.read(descriptor, _CHUNK_BYTES):
                self._last_frame_at = time.monotonic()
                for frame in reader.feed(chunk):
                    self._dispatch(frame)
        except (MalformedFrame, OSError):
            self._process.kill()
        self._start_responses.put(None)
        for call in list(self._pending.values()):
            call.frames.put(None)

    def _dispatch(self, frame: Frame) -> None:
        if frame.kind in (MessageKind.READY, MessageKind.BROKEN):
            self._start_responses.put(frame)
        elif call := self._pending.get(frame.content.get("run", -1)):
            call.frames.put(frame)


def _response(frame: Frame, log: bytes) -> WorkerResponse:
    content = {name: value for name, value in frame.content.items() if name != "run"}
    return WorkerResponse(RunResult(**content), frame.payload, log)
