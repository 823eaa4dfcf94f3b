"""Drives one model process: start, load, predict, close."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, RunError
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.model_call import ModelCall
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.resources import container_memory
from numerai_predict.resources.violations import out_of_container_memory
from numerai_predict.runner.acceleration_report import AccelerationReport
from numerai_predict.runner.child.data_probe import ProbeExit
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import (
    AppliedLayers,
    FrameKind,
    LoadedModel,
    Predicted,
    Stage,
)
from numerai_predict.runner.run_log import log_model_line, log_step, log_traceback
from numerai_predict.runner.supervisor.crash_report import CrashReport, ModelProcessExited
from numerai_predict.runner.supervisor.crash_rules import classify_crash
from numerai_predict.runner.supervisor.data_probe import detect_oversized_data, probe
from numerai_predict.runner.supervisor.expected_frame import ModelFailed, expect_frame
from numerai_predict.runner.supervisor.failure_report import Failure
from numerai_predict.runner.supervisor.failure_rules import classify_failure, failed_read
from numerai_predict.runner.supervisor.launch import ProcessHandle, launch
from numerai_predict.runner.supervisor.layer_report import report_layers
from numerai_predict.runner.supervisor.model_process import ModelProcess
from numerai_predict.runner.supervisor.network_attempts import attempted_hosts_in_errors
from numerai_predict.runner.supervisor.signature_hints import signature_hints_in_errors
from numerai_predict.runner.supervisor.time_limit import response_time_limit
from numerai_predict.runner.validation.hosted_signature import (
    require_hosted_signature,
    signature_warnings,
)
from numerai_predict.sandbox.layers import Layers

if TYPE_CHECKING:
    from numerai_predict.runner.validation.predictions import Predictions

_MAX_NAME_CHARACTERS = 100


class SessionStage(Enum):
    """How far a session has come."""

    NEW = "new"
    STARTED = "started"
    LOADED = "loaded"
    CLOSED = "closed"


@dataclass(frozen=True)
class InspectedModel:
    """A pickle that passed its inspection, and the warnings of that inspection."""

    path: Path
    inspection: Inspection
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelResponse:
    """What the model returned, as its process encoded it; not validated."""

    predicted: Predicted
    payload: bytes


@dataclass(frozen=True)
class SessionSummary:
    """What a session measured so far.

    `layers` is empty before the model process has applied them; `peak_bytes` is the highest
    memory use of the process tree; `attempted_hosts` are those that the model tried to reach.
    """

    layers: Layers = field(default_factory=Layers)
    loaded: LoadedModel | None = None
    predict_seconds: float | None = None
    peak_bytes: int = 0
    attempted_hosts: tuple[str, ...] = ()
    acceleration: AccelerationReport = field(default_factory=AccelerationReport)


class ModelSession:
    """One model process from start to end; a context manager.

    Entering it starts the process, which imports its libraries while the caller prepares the
    model. `load` follows once, then `predict` once or more. Leaving the block kills whatever
    is left of the process tree. Failures of the process are raised as `RunError`.

    Args:
        call: limits, isolation and the names to show.
        start: starts the process; see `new_interpreter`.
        supervisor_layers: layers that protect this process from the model.
        show: receives the lines that the model prints.
    """

    def __init__(
        self,
        call: ModelCall,
        start: Callable[[], ProcessHandle],
        deadline: Deadline,
        supervisor_layers: Layers,
        show: Callable[[str], None] = log_model_line,
    ) -> None:
        self._call = call
        self._process = ModelProcess(start, call.limits, deadline, show)
        self._supervisor_layers = supervisor_layers
        self._layers = Layers()
        self._inspection: Inspection | None = None
        self._loaded: LoadedModel | None = None
        self._predict_seconds: float | None = None
        self._acceleration = AccelerationReport()
        self.stage = SessionStage.NEW

    def __enter__(self) -> ModelSession:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the model process; entering the context does it."""
        self._process.start()
        self.stage = SessionStage.STARTED

    def load(self, model: InspectedModel, dataset: Path) -> LoadedModel:
        """Have the process apply its sandbox, unpickle the model and read the live data.

        Raises:
            RunError: the model failed, exceeded a limit or the deadline, or a required
                sandbox layer is missing.
        """
        self._inspection = model.inspection
        with self._detect_oversized_data(dataset), self._failures_as_errors():
            sandboxed = expect_frame(
                FrameKind.SANDBOXED, self._process.await_sandbox(), {Stage.START: None}
            )
            self._layers = self._applied_layers(AppliedLayers.parse(sandboxed.content))
            report_layers(self._layers, self._call.sandbox)
            stages = {Stage.LOAD: None, Stage.READ: dataset}
            accelerated = self._call.acceleration
            response = self._process.load(model.path, dataset, acceleration=accelerated)
            frame = expect_frame(FrameKind.LOADED, response, stages)
            self._loaded = LoadedModel.parse(frame.content)
        _log_loaded(self._loaded)
        if self._call.hosted:
            require_hosted_signature(self._loaded)
        for warning in signature_warnings(self._loaded):
            log_step("warning", warning)
        self.stage = SessionStage.LOADED
        return self._loaded

    def predict(
        self, benchmarks: Path | None, dataset: Path | None = None, *, more: bool = False
    ) -> ModelResponse:
        """Call the model.

        Args:
            benchmarks: file of the benchmark models, for a model of two arguments.
            dataset: other live data than those loaded with the model.
            more: whether another call will follow.

        Raises:
            RunError: as `load`.
        """
        with (
            signature_hints_in_errors(self._loaded),
            self._detect_oversized_data(dataset, benchmarks),
            self._failures_as_errors(),
        ):
            frame = self._process.predict(benchmarks, dataset, more=more)
            read = {Stage.READ: dataset, Stage.READ_BENCHMARKS: benchmarks}
            stages: dict[Stage, Path | None] = {Stage.PREDICT: None, Stage.ENCODE: None}
            stages |= {stage: path for stage, path in read.items() if path is not None}
            predicted = Predicted.parse(expect_frame(FrameKind.PREDICTED, frame, stages).content)
        self._predict_seconds = predicted.seconds
        self._acceleration = predicted.acceleration
        return ModelResponse(predicted, frame.payload)

    def decode(self, response: ModelResponse, live_ids: list[str]) -> Predictions:
        """The predictions in a response; not validated.

        Raises:
            ModelCrashed: the response holds none: the model replaced what its process sends.
        """
        from numerai_predict.runner.validation.predictions import decode  # imports pyarrow: 0.1 s

        with self._failures_as_errors(), response_time_limit():
            return decode(response.predicted, response.payload, live_ids)

    def close(self) -> None:
        """Kill the process tree and remove its scratch directory; leaving the context does it."""
        self._process.close()
        self.stage = SessionStage.CLOSED

    @property
    def summary(self) -> SessionSummary:
        """What was measured so far; `peak_bytes` is final once the session is closed."""
        return SessionSummary(
            self._layers,
            self._loaded,
            self._predict_seconds,
            self._process.peak_bytes,
            self._process.attempted_hosts,
            self._acceleration,
        )

    @contextmanager
    def _failures_as_errors(self) -> Iterator[None]:
        """Raise what the model process did as a `RunError` with a verdict."""
        with attempted_hosts_in_errors(lambda: self._process.attempted_hosts):
            try:
                yield
            except (ModelProcessExited, MalformedFrame, ModelFailed) as failure:
                raise self._classify(failure) from failure

    def _classify(self, failure: ModelProcessExited | MalformedFrame | ModelFailed) -> RunError:
        peak_bytes = self._process.peak_bytes
        if self._process.was_killed_by_container():
            return out_of_container_memory(container_memory.limit_bytes(), peak_bytes)
        if isinstance(failure, ModelFailed):
            return self._classify_exception(failure)
        pythons = None if self._inspection is None else self._inspection.pythons
        if isinstance(failure, ModelProcessExited):
            return classify_crash(failure.crash, peak_bytes, pythons)
        return malformed_response(failure, peak_bytes)

    def _applied_layers(self, applied: AppliedLayers) -> Layers:
        layers = self._supervisor_layers.with_more(self._process.layers)
        return layers.with_more(Layers(applied.engaged, applied.missing, applied.unavailable))

    def _classify_exception(self, raised: ModelFailed) -> RunError:
        log_traceback(raised.content["traceback"])
        assert self._inspection is not None
        failure = Failure(
            raised.content,
            Path(self._inspection.path),
            self._call.labels.dataset,
            self._call.limits,
            self._process.peak_bytes,
            self._call.labels.benchmarks,
            self._inspection.features,
        )
        error = classify_failure(failure)
        if isinstance(error, DatasetUnavailable) and self._can_read(raised.file):
            return failed_read(failure)
        return error

    def _can_read(self, file: Path | None) -> bool:
        """Whether the supervisor can read data that the model process says it cannot read."""
        assert file is not None
        limit = self._call.limits.memory_bytes
        return self._process.is_in_memory(file) or probe(file, limit) is ProbeExit.READABLE

    def _detect_oversized_data(
        self, dataset: Path | None, benchmarks: Path | None = None
    ) -> AbstractContextManager[None]:
        labels = self._call.labels
        files = {dataset: labels.dataset, benchmarks: labels.benchmarks}
        new = {
            file: name
            for file, name in files.items()
            if file and not self._process.is_in_memory(file)
        }
        return detect_oversized_data(new, self._call.limits.memory_bytes)


def new_interpreter(call: ModelCall, readable: Collection[Path]) -> Callable[[], ProcessHandle]:
    """Starts a new Python for a session; the model may read files at and below `readable`."""
    sandboxed = call.sandbox is not Sandbox.OFF
    return functools.partial(launch, call.limits, readable, sandboxed=sandboxed)


def malformed_response(malformed: MalformedFrame, peak_bytes: int) -> RunError:
    """The error for a response that no unmodified model process would send."""
    return classify_crash(CrashReport(None, str(malformed)), peak_bytes)


def _log_loaded(loaded: LoadedModel) -> None:
    arguments = "live_features" + ", live_benchmark_models" * (loaded.arity == 2)
    name = one_line(loaded.name, _MAX_NAME_CHARACTERS)
    log_step("load", f"{name}({arguments}) and the data in {loaded.seconds:.2f} s")
