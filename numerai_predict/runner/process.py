"""The parent's hold on the child: starting it, talking to it, ending it.

Every wait is one loop that shows what the model prints, watches its memory, its
time and the run's deadline, and notices when it dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import ModelTimeout, OutOfMemory
from numerai_predict.contract.limits import Limits, format_size
from numerai_predict.runner import memory
from numerai_predict.runner.descendants import adopt_orphans, descendants, end_descendants
from numerai_predict.runner.launch import PACKAGE, launch
from numerai_predict.runner.output import ModelOutput
from numerai_predict.runner.protocol import (
    FAULTS_FILE,
    Frame,
    FrameReader,
    LoadRequest,
    MalformedFrame,
    PredictRequest,
)

_TICK_SECONDS = 0.05
_CHUNK_BYTES = 1024 * 1024
_ENDING_SECONDS = 1.0
_MOST_FAULTS = 16 * 1024


@dataclass(frozen=True)
class Death:
    """How the child ended when it had not answered.

    `status` is its exit status, negative for a signal, `None` where it was still
    alive and had to be killed; `malformed` says what was wrong with its answer;
    `calls` are the lines of Python that a fatal signal struck in, innermost first.
    """

    status: int | None
    malformed: str | None = None
    calls: tuple[str, ...] = ()


class ChildDied(Exception):
    """The child ended, or broke off the talk, without the frame that was due."""

    def __init__(self, death: Death) -> None:
        super().__init__(repr(death))
        self.death = death


class Child:
    """The model's process. A context manager: nothing of it survives the block.

    This process must have no other children meanwhile: all that are found are the model's.

    `peak_bytes` is the most memory seen in use by it and its descendants.
    """

    def __init__(self, limits: Limits, deadline: Deadline, show: Callable[[str], None]) -> None:
        self._limits = limits
        self._deadline = deadline
        self._output = ModelOutput(show)
        self._frames = FrameReader()
        self._selector = selectors.DefaultSelector()
        self._seconds_used = 0.0
        self.peak_bytes = 0

    def __enter__(self) -> Child:
        adopt_orphans()
        self._launched = launch()
        self._process = self._launched.process
        for descriptor in (self._launched.answer, self._launched.printed):
            self._selector.register(descriptor, selectors.EVENT_READ)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kill()
        self._drain_output()
        self._output.finish()
        self._selector.close()
        self._launched.close()

    def load(self, model: Path, dataset: Path) -> Frame:
        """Have the child unpickle the model and read the data; its answer.

        Raises:
            ChildDied: it ended, or sent something else.
            OutOfMemory, ModelTimeout, DeadlinePassed: it passed a limit.
            OSError: a file that it could not read could not be copied for it.
        """
        model, dataset = (self._launched.readable(path) for path in (model, dataset))
        request = LoadRequest(str(model), str(dataset), self._limits.memory_bytes)
        return self._ask(request, "load")

    def predict(self, benchmarks: Path | None) -> Frame:
        """Have the child call the model; its answer.

        Raises:
            ChildDied: it ended, or sent something else.
            OutOfMemory, ModelTimeout, DeadlinePassed: it passed a limit.
        """
        path = None if benchmarks is None else str(self._launched.readable(benchmarks))
        return self._ask(PredictRequest(path), "predict")

    def _ask(self, request: LoadRequest | PredictRequest, step: str) -> Frame:
        with contextlib.suppress(OSError):  # it is dead: the wait tells how
            self._launched.requests.write(json.dumps(asdict(request)).encode() + b"\n")
        started = time.monotonic()
        try:
            return self._wait(started, step)
        finally:
            self._seconds_used += time.monotonic() - started
            self._drain_output()

    def _wait(self, started: float, step: str) -> Frame:
        while True:
            timeout = self._deadline.wait(_TICK_SECONDS, step)
            for key, _ in self._selector.select(timeout):
                chunk = _read(key.fd)
                if key.fd == self._launched.printed:
                    self._output.feed(chunk)
                elif frame := self._take(chunk):
                    self._watch_memory()
                    return frame
                if not chunk:
                    self._selector.unregister(key.fd)
            self._watch_memory()
            self._watch_time(started, step)
            if frame := self._watch_life():
                return frame

    def _take(self, chunk: bytes) -> Frame | None:
        """The frame that a chunk of the answer completes; no chunk means its end."""
        if not chunk:
            raise ChildDied(self._death(self._exit_status()))
        try:
            return self._frames.feed(chunk)
        except MalformedFrame as error:
            raise ChildDied(Death(None, malformed=str(error))) from None

    def _watch_memory(self) -> None:
        processes = descendants(os.getpid())
        used = memory.resident_bytes(processes)
        limit = self._limits.memory_bytes
        if limit is not None and used > limit:
            used = memory.proportional_bytes(processes)
        self.peak_bytes = max(self.peak_bytes, used)
        if limit is not None and used > limit:
            self._kill()
            raise OutOfMemory(*out_of_memory(limit, self.peak_bytes))

    def _watch_time(self, started: float, step: str) -> None:
        limit = self._limits.seconds
        used = self._seconds_used + time.monotonic() - started
        if limit is not None and used > limit:
            self._kill()
            raise ModelTimeout(
                f"the model passed its limit of {limit:g} s in the step: {step}",
                "make it faster (fewer trees, float32, columns chosen before work is done); "
                "--timeout moves the limit here, but hosted models get 600 s on one CPU",
            )

    def _watch_life(self) -> Frame | None:
        """Notice an end that the pipe does not show: a grandchild may hold it open."""
        if self._process.poll() is None:
            return None
        while chunk := _read(self._launched.answer):
            if frame := self._take(chunk):
                return frame
        raise ChildDied(self._death(self._process.returncode))

    def _death(self, status: int | None) -> Death:
        if status is None or status >= 0:
            return Death(status)
        try:
            with open(Path(self._launched.scratch.name, FAULTS_FILE), errors="replace") as faults:
                lines = [line.strip() for line in faults.read(_MOST_FAULTS).splitlines()]
        except OSError:
            lines = []  # the model removed it
        calls = (line for line in lines if line.startswith("File "))
        ours = (str(PACKAGE), 'File "<string>"')
        return Death(status, calls=tuple(c for c in calls if not any(own in c for own in ours)))

    def _exit_status(self) -> int | None:
        """The child's exit status once it has ended by itself; `None` if it does not."""
        try:
            return self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def _drain_output(self) -> None:
        """Show what was printed up to now. Bounded: a model may print without end."""
        until = time.monotonic() + _ENDING_SECONDS
        while time.monotonic() < until and (chunk := _read(self._launched.printed)):
            self._output.feed(chunk)

    def _kill(self) -> None:
        """End the child and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):  # a request that nobody read
            self._launched.requests.close()
        self._process.wait()
        end_descendants()
        ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.peak_bytes = max(self.peak_bytes, ended)


def out_of_memory(limit_bytes: int, peak_bytes: int) -> tuple[str, str]:
    """Message and remedy for a model that passed its memory limit."""
    return (
        f"the model passed its memory limit: limit {format_size(limit_bytes)}, "
        f"peak {format_size(peak_bytes)}",
        "use less at once: predict in batches of rows, keep features int8 or float32, "
        "drop copies; --memory moves the limit here, but hosted models get 4 GiB",
    )


def _read(descriptor: int) -> bytes:
    """What is there to read now: nothing at the end, or where nothing was written."""
    try:
        return os.read(descriptor, _CHUNK_BYTES)
    except BlockingIOError:
        return b""
