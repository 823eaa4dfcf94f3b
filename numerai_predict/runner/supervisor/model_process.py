"""Starts, communicates with and terminates the model process.

Every wait is one loop that shows what the model prints, monitors its memory, its time and the
deadline of the run, and notices when the process exits.
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
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.limits import Limits
from numerai_predict.resources import container_memory
from numerai_predict.resources.memory import largest_peak_bytes
from numerai_predict.resources.monitor import ResourceMonitor
from numerai_predict.resources.process_tree import adopt_orphans, descendants, kill_descendants
from numerai_predict.resources.violations import LimitViolation, violation_error
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import (
    MODEL_PAYLOADS,
    AttemptedHost,
    Frame,
    FrameKind,
    FrameReader,
    LoadRequest,
    PredictRequest,
    Stage,
)
from numerai_predict.runner.supervisor.crash_report import (
    CrashReport,
    ModelProcessExited,
    read_crash_report,
)
from numerai_predict.runner.supervisor.launch import ProcessHandle
from numerai_predict.runner.supervisor.model_output import ModelOutput
from numerai_predict.sandbox.layers import Layers

_TICK_SECONDS = 0.05
_CHUNK_BYTES = 1024 * 1024
_EXIT_SECONDS = 1.0
# A thousand processes take a while to die on an overloaded machine. After the deadline of the
# run nothing waits for them: the signal that kills them is sent.
_MAX_KILL_SECONDS, _MIN_KILL_SECONDS = 30.0, 0.5
_MAX_ATTEMPTED_HOSTS, _MAX_HOST_CHARACTERS = 3, 200


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
        self._start_process = start
        self._limits = limits
        self._deadline = deadline
        self._show = show
        self._output = ModelOutput(show)
        self._frames = FrameReader(MODEL_PAYLOADS)
        self._received: deque[Frame] = deque()
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
        self._handle = self._start_process()
        self._process = self._handle.process
        self._monitor = ResourceMonitor(
            self._limits,
            self._handle.identity,
            Path(self._handle.scratch.name),
            self._process.pid,
            self._handle.cgroup,
        )
        for descriptor in (self._handle.frames, self._handle.output):
            self._selector.register(descriptor, selectors.EVENT_READ)

    def close(self) -> None:
        """Kill the process tree, show what it still printed, remove what it left behind."""
        self._kill()
        self._drain_output()
        self._output.finish()
        self._selector.close()
        for left in self._monitor.memory.shared.remove():
            self._show(f"... and may have left shared memory behind: {left}")
        self._handle.close()

    @property
    def layers(self) -> Layers:
        """The layers that its start has applied."""
        return self._handle.layers

    def is_in_memory(self, path: Path) -> bool:
        """Whether the process holds the data of a file, and does not read it."""
        return path in self._handle.in_memory

    def await_sandbox(self) -> Frame:
        """Wait until the process has applied its sandbox; no code of the model has run.

        Raises:
            ModelProcessExited: it exited, or sent something that is not a frame.
            DeadlinePassed: the deadline of the run is over.
        """
        return self._response(Stage.START)

    def load(self, model: Path, dataset: Path, *, acceleration: bool) -> Frame:
        """Have the process unpickle the model and read the data; returns its response.

        Raises:
            ModelProcessExited: it exited, or broke the protocol.
            RunError: it exceeded a limit, or the deadline of the run.
            SaveFailed: a file that its user cannot read could not be copied for it.
        """
        model, dataset = (self._handle.readable(path) for path in (model, dataset))
        limit = self._limits.memory_bytes
        self._handle.send(LoadRequest(str(model), str(dataset), limit, acceleration))
        loaded = self._response(Stage.LOAD)
        self._seconds_loading = self._seconds_used
        return loaded

    def predict(
        self, benchmarks: Path | None, dataset: Path | None = None, *, more: bool = False
    ) -> Frame:
        """Have the process call the model; returns its response.

        `dataset` is other data than those that were loaded, `more` announces other calls. Each
        call has the time that loading left.

        Raises:
            ModelProcessExited, RunError, OSError: as `load`.
        """
        benchmarks_path, dataset_path = (
            None if path is None else str(self._handle.readable(path))
            for path in (benchmarks, dataset)
        )
        self._handle.send(PredictRequest(benchmarks_path, dataset_path, more))
        self._seconds_used = self._seconds_loading
        return self._response(Stage.PREDICT)

    def was_killed_by_container(self) -> bool:
        """Whether the kernel has killed a process for the container's memory since the start."""
        return container_memory.kills() > self._kills_before

    def _response(self, stage: Stage) -> Frame:
        """The next response to the request of a stage; counts its time."""
        started = time.monotonic()
        if self._received:
            raise ModelProcessExited(CrashReport(None, "a frame that was not requested"))
        try:
            return self._wait(started, stage)
        except ModelProcessExited:
            self._enforce_limits(started, stage)  # the kernel may have killed it for a limit
            raise
        finally:
            self._seconds_used += time.monotonic() - started
            self._drain_output()

    def _wait(self, started: float, stage: Stage) -> Frame:
        while not self._received:
            timeout = self._deadline.wait(_TICK_SECONDS, stage.value)
            for key, _ in self._selector.select(timeout):
                chunk = _read(key.fd)
                if key.fd == self._handle.output:
                    self._output.feed(chunk)
                else:
                    self._receive(chunk)
                if not chunk:
                    self._selector.unregister(key.fd)
            self._enforce_limits(started, stage)
            self._check_alive()
        return self._received.popleft()

    def _receive(self, chunk: bytes) -> None:
        """Keep the frames that a chunk completes; an empty chunk means that the pipe is closed."""
        if not chunk:
            raise ModelProcessExited(self._crash_report(self._exit_status()))
        try:
            for frame in self._frames.feed(chunk):
                if frame.kind == FrameKind.ATTEMPTED:
                    self._note_attempted_host(frame)
                else:
                    self._received.append(frame)
        except MalformedFrame as error:
            raise ModelProcessExited(CrashReport(None, malformed=str(error))) from None

    def _note_attempted_host(self, frame: Frame) -> None:
        if len(self._attempted_hosts) < _MAX_ATTEMPTED_HOSTS:
            host = AttemptedHost.parse(frame.content).host
            self._attempted_hosts.append(one_line(host, _MAX_HOST_CHARACTERS))

    def _enforce_limits(self, started: float, stage: Stage) -> None:
        violation = self._monitor.check()
        self.peak_bytes = max(self.peak_bytes, self._monitor.memory.peak_bytes)
        used = self._seconds_used + time.monotonic() - started
        limit = self._limits.seconds
        if violation is None and limit is not None and used > limit and not self._received:
            violation = LimitViolation.TIME
        if violation is not None:
            self._kill()
            raise violation_error(violation, self._limits, self.peak_bytes, stage.value)

    def _check_alive(self) -> None:
        """Notice an exit that the pipe does not show: a descendant may hold it open."""
        if self._process.poll() is None:
            return
        until = time.monotonic() + _EXIT_SECONDS
        while (
            not self._received
            and time.monotonic() < until
            and (chunk := _read(self._handle.frames))
        ):
            self._receive(chunk)
        if not self._received:
            raise ModelProcessExited(self._crash_report(self._process.returncode))

    def _crash_report(self, status: int | None) -> CrashReport:
        return read_crash_report(status, Path(self._handle.scratch.name))

    def _exit_status(self) -> int | None:
        """The exit status once the process has exited by itself; `None` if it does not."""
        try:
            return self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def _drain_output(self) -> None:
        """Show what was printed so far, within a time limit: a model may print endlessly."""
        until = time.monotonic() + _EXIT_SECONDS
        while time.monotonic() < until and (chunk := _read(self._handle.output)):
            self._output.feed(chunk)

    def _kill(self) -> None:
        """Kill the process and all its descendants."""
        pid = self._process.pid
        living = largest_peak_bytes([pid, *descendants(pid).processes])
        self.peak_bytes = max(self.peak_bytes, self._monitor.memory.peak_bytes, living)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):  # a request that was never read
            self._handle.requests.close()
        kill_seconds = min(_MAX_KILL_SECONDS, max(_MIN_KILL_SECONDS, self._deadline.remaining()))
        until = time.monotonic() + kill_seconds
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(kill_seconds)
        kill_descendants(until)
        peak_of_ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        # Linux counts for a new process the memory that its parent process had at that moment.
        if peak_of_ended > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024:
            self.peak_bytes = max(self.peak_bytes, peak_of_ended)


def _read(descriptor: int) -> bytes:
    """What can be read now: nothing at the end of the pipe, or if nothing was written."""
    try:
        return os.read(descriptor, _CHUNK_BYTES)
    except BlockingIOError:
        return b""
