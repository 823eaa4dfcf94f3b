"""The parent's hold on the child: starting it, talking to it, ending it.

Every wait is one loop that shows what the model prints, watches its memory, its
time and the run's deadline, and notices when it dies.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.redaction import printable
from numerai_predict.resources import container_memory
from numerai_predict.resources.monitor import ResourceMonitor
from numerai_predict.resources.process_tree import adopt_orphans, kill_descendants
from numerai_predict.resources.violations import LimitViolation, violation_error
from numerai_predict.runner.bootstrap import PACKAGE
from numerai_predict.runner.protocol import (
    FAULTS_FILE,
    TRIED,
    Frame,
    FrameReader,
    LoadRequest,
    MalformedFrame,
    PredictRequest,
)
from numerai_predict.runner.supervisor.launch import ProcessHandle
from numerai_predict.runner.supervisor.model_output import ModelOutput
from numerai_predict.sandbox.layers import Layers

_TICK_SECONDS = 0.05
_CHUNK_BYTES = 1024 * 1024
_ENDING_SECONDS = 1.0
# A thousand processes take their time to die on a machine that they have brought to its
# knees. Past the run's deadline nobody waits for them: the signal that ends them is sent.
_PATIENCE_SECONDS, _LEAST_PATIENCE_SECONDS = 30.0, 0.5
_MOST_FAULTS = 16 * 1024
_MOST_ATTEMPTS, _LONGEST_ATTEMPT = 3, 200


@dataclass(frozen=True)
class CrashReport:
    """How the child ended when it had not answered.

    `status` is its exit status, negative for a signal, `None` where it was still
    alive and had to be killed; `malformed` says what was wrong with its answer;
    `calls` are the lines of Python that a fatal signal struck in, innermost first.
    """

    status: int | None
    malformed: str | None = None
    calls: tuple[str, ...] = ()


class ModelProcessExited(Exception):
    """The child ended, or broke off the talk, without the frame that was due."""

    def __init__(self, crash: CrashReport) -> None:
        super().__init__(repr(crash))
        self.crash = crash


class ModelProcess:
    """The model process, between `start` and `close`; nothing of it survives `close`.

    The supervisor must have no other child processes meanwhile: all that are found are taken
    for the model's. `peak_bytes` is the highest memory use seen of the process tree.
    """

    def __init__(
        self,
        start: Callable[[], ProcessHandle],
        limits: Limits,
        deadline: Deadline,
        show: Callable[[str], None],
    ) -> None:
        self._start = start
        self._limits = limits
        self._deadline = deadline
        self._show = show
        self._output = ModelOutput(show)
        self._frames = FrameReader()
        self._taken: deque[Frame] = deque()
        self._selector = selectors.DefaultSelector()
        self._seconds_used = self._seconds_loading = 0.0
        self._attempted_hosts: list[str] = []
        self.peak_bytes = 0

    @property
    def attempted_hosts(self) -> tuple[str, ...]:
        """The network hosts that the model has tried to reach."""
        return tuple(self._attempted_hosts)

    def start(self) -> None:
        """Start the process; it imports its libraries and waits for requests."""
        adopt_orphans()
        self._kills_before = container_memory.kills()
        self._launched = self._start()
        self._process = self._launched.process
        self._watch = ResourceMonitor(
            self._limits, self._launched.identity, Path(self._launched.scratch.name)
        )
        for descriptor in (self._launched.answer, self._launched.printed):
            self._selector.register(descriptor, selectors.EVENT_READ)

    def close(self) -> None:
        """Kill the process tree, show what it still printed, remove what it left behind."""
        self._kill()
        self._drain_output()
        self._output.finish()
        self._selector.close()
        for left in self._watch.shared.remove():
            self._show(f"... and may have left shared memory behind: {left}")
        self._launched.close()

    def confine(self) -> Layers:
        """The layers between the process and the machine; nothing of the model is there yet.

        Raises:
            ChildDied, DeadlinePassed: as `load`.
        """
        facts = self._answer("start").facts
        return self._launched.layers.with_more(Layers(facts["engaged"], facts["missing"]))

    def load(self, model: Path, dataset: Path) -> Frame:
        """Have the child unpickle the model and read the data; its answer.

        Raises:
            ChildDied: it ended, or sent something else.
            RunError: it passed a limit, or the run's deadline.
            OSError: a file that it could not read could not be copied for it.
        """
        model, dataset = (self._launched.readable(path) for path in (model, dataset))
        self._launched.send(LoadRequest(str(model), str(dataset), self._limits.memory_bytes))
        loaded = self._answer("load")
        self._seconds_loading = self._seconds_used
        return loaded

    def predict(
        self, benchmarks: Path | None, dataset: Path | None = None, *, more: bool = False
    ) -> Frame:
        """Have the child call the model; its answer.

        `dataset` is other data than those that were loaded, `more` says that other calls will
        follow. Each has the time that loading left.

        Raises:
            ChildDied, RunError, OSError: as `load`.
        """
        benchmarks_path, dataset_path = (
            None if path is None else str(self._launched.readable(path))
            for path in (benchmarks, dataset)
        )
        self._launched.send(PredictRequest(benchmarks_path, dataset_path, more))
        self._seconds_used = self._seconds_loading
        return self._answer("predict")

    def was_killed_by_container(self) -> bool:
        """Whether the kernel killed something here since the start, for the container's memory."""
        return container_memory.kills() > self._kills_before

    def _answer(self, step: str) -> Frame:
        started = time.monotonic()
        try:
            return self._wait(started, step)
        finally:
            self._seconds_used += time.monotonic() - started
            self._drain_output()

    def _wait(self, started: float, step: str) -> Frame:
        while not self._taken:
            timeout = self._deadline.wait(_TICK_SECONDS, step)
            for key, _ in self._selector.select(timeout):
                chunk = _read(key.fd)
                if key.fd == self._launched.printed:
                    self._output.feed(chunk)
                else:
                    self._take(chunk)
                if not chunk:
                    self._selector.unregister(key.fd)
            self._enforce_limits(started, step)
            self._check_alive()
        return self._taken.popleft()

    def _take(self, chunk: bytes) -> None:
        """Keep the frames that a chunk of the answer completes; no chunk means its end."""
        if not chunk:
            raise ModelProcessExited(self._crash_report(self._exit_status()))
        try:
            for frame in self._frames.feed(chunk):
                if frame.kind == TRIED:
                    self._note(frame)
                else:
                    self._taken.append(frame)
        except MalformedFrame as error:
            raise ModelProcessExited(CrashReport(None, malformed=str(error))) from None

    def _note(self, frame: Frame) -> None:
        if len(self._attempted_hosts) < _MOST_ATTEMPTS:
            host = printable(str(frame.facts.get("what")))
            self._attempted_hosts.append(host[:_LONGEST_ATTEMPT])

    def _enforce_limits(self, started: float, step: str) -> None:
        breach = self._watch.check()
        self.peak_bytes = max(self.peak_bytes, self._watch.peak_bytes)
        used = self._seconds_used + time.monotonic() - started
        limit = self._limits.seconds
        if breach is None and limit is not None and used > limit and not self._taken:
            breach = LimitViolation.TIME
        if breach is not None:
            self._kill()
            raise violation_error(breach, self._limits, self.peak_bytes, step)

    def _check_alive(self) -> None:
        """Notice an end that the pipe does not show: a grandchild may hold it open."""
        if self._process.poll() is None:
            return
        while not self._taken and (chunk := _read(self._launched.answer)):
            self._take(chunk)
        if not self._taken:
            raise ModelProcessExited(self._crash_report(self._process.returncode))

    def _crash_report(self, status: int | None) -> CrashReport:
        if status is None or status >= 0:
            return CrashReport(status)
        try:
            with open(Path(self._launched.scratch.name, FAULTS_FILE), errors="replace") as faults:
                lines = [line.strip() for line in faults.read(_MOST_FAULTS).splitlines()]
        except OSError:
            lines = []  # the model removed it
        calls = (line for line in lines if line.startswith("File "))
        ours = (str(PACKAGE), 'File "<string>"')
        return CrashReport(
            status, calls=tuple(c for c in calls if not any(own in c for own in ours))
        )

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
        self.peak_bytes = max(self.peak_bytes, _highest_bytes(self._process.pid))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):  # a request that nobody read
            self._launched.requests.close()
        patience = min(_PATIENCE_SECONDS, max(_LEAST_PATIENCE_SECONDS, self._deadline.remaining()))
        until = time.monotonic() + patience
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        kill_descendants(until)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        # Linux counts as a child's what this process held when it started it.
        if ended > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024:
            self.peak_bytes = max(self.peak_bytes, ended)


def _highest_bytes(pid: int) -> int:
    """The most memory that a living process has had at once; 0 of one that has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            lines = [line for line in status if line.startswith("VmHWM:")]
    except OSError:
        return 0
    return int(lines[0].split()[1]) * 1024 if lines else 0


def _read(descriptor: int) -> bytes:
    """What is there to read now: nothing at the end, or where nothing was written."""
    try:
        return os.read(descriptor, _CHUNK_BYTES)
    except BlockingIOError:
        return b""
