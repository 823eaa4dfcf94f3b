"""Runs one model in the worker, as the supervisor of a single run does.

It holds no credentials and does not validate the predictions: the worker actor does.
"""

from __future__ import annotations

import json
import os
import signal
import traceback
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import NoReturn

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.error_mapping import run_error_of
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.limits import Limits, format_size
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.log_buffer import LogBuffer
from numerai_predict.fleet.worker.fork import fork
from numerai_predict.fleet.worker.messages import MessageKind, RunRequest, RunResult
from numerai_predict.fleet.worker.preload import Preloaded
from numerai_predict.runner import preflight
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.protocol import Frame, write_frame
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.supervisor.launch import ProcessHandle
from numerai_predict.runner.supervisor.session import (
    InspectedModel,
    ModelResponse,
    ModelSession,
)
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, prctl

_MAX_MESSAGE_CHARACTERS = 16 * 1024


def main(
    request_end: int, response_end: int, preloaded: Preloaded, supervisor_layers: Layers
) -> NoReturn:
    """Run the model of the request, send its log and its result, end the process."""
    try:
        # Not SIGKILL: the process tree of the model must be killed even if the worker was killed.
        signal.signal(signal.SIGTERM, _exit_on_signal)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        with os.fdopen(request_end, "rb") as requests:
            request = RunRequest(**json.loads(requests.read()))
        log = LogBuffer(request.debug)
        if request.cpu is not None:  # inherited by the model, whose threads stay on this CPU
            os.sched_setaffinity(0, {request.cpu})
        result = _Run(request, preloaded, supervisor_layers).result()
        write_frame(response_end, Frame(MessageKind.LOG, {}, log.text()))
        write_frame(response_end, result)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


class _Run:
    def __init__(
        self, request: RunRequest, preloaded: Preloaded, supervisor_layers: Layers
    ) -> None:
        self._request = request
        self._preloaded = preloaded
        self._record = RecordBuilder(current_environment())
        labels = SourceLabels(request.source, request.dataset_source, request.benchmarks_source)
        limits = Limits(request.memory_bytes, request.seconds)
        self._call = ModelCall(
            labels,
            limits,
            Sandbox(request.sandbox),
            request.debug,
            request.hosted,
            request.acceleration,
        )
        self._session = ModelSession(
            self._call, self._fork, Deadline.after(request.seconds_left), supervisor_layers
        )

    def result(self) -> Frame:
        """The record of everything that happened, and the model's response if there is one."""
        response = None
        try:
            response = self._predict()
            self._record.conclude(Verdict.OK, "predicted")
        except Exception as error:
            failure = run_error_of(error)
            message = failure.message[:_MAX_MESSAGE_CHARACTERS]
            remedy = failure.remedy[:_MAX_MESSAGE_CHARACTERS]
            self._record.conclude(failure.verdict, message, remedy)
        result = RunResult(
            asdict(self._record.build()),
            None if response is None else asdict(response.predicted),
            list(self._session.summary.attempted_hosts),
        )
        payload = b"" if response is None else response.payload
        return Frame(MessageKind.DONE, asdict(result), payload)

    def _predict(self) -> ModelResponse:
        model = self._inspect()
        live = Path(next(iter(self._preloaded.frames)))
        try:
            with self._session as session:
                loaded = session.load(model, live)
                benchmarks = self._benchmarks() if loaded.arity == 2 else None
                response = session.predict(benchmarks)
        finally:
            summary = self._session.summary
            self._record.add_session(summary)
        log_step("predict", f"predicted; peak memory {format_size(summary.peak_bytes)}")
        return response

    def _inspect(self) -> InspectedModel:
        path = Path(self._request.model)
        inspection = preflight.inspect_model(path)
        self._record.set_pythons(inspection.pythons.legal)
        self._record.add_warnings(preflight.check_compatibility(inspection, self._call.labels))
        self._record.add_warnings(preflight.check_columns(inspection, self._preloaded.live.names))
        return InspectedModel(path, inspection)

    def _fork(self) -> ProcessHandle:
        request = self._request
        return fork(
            self._call.limits,
            [Path(request.model)],
            self._preloaded.frames,
            request.user,
            self._preloaded.folders,
            sandboxed=self._call.sandbox is not Sandbox.OFF,
        )

    def _benchmarks(self) -> Path:
        if self._request.no_benchmarks is not None:
            raise DatasetUnavailable(*self._request.no_benchmarks)
        return Path(list(self._preloaded.frames)[-1])


def _exit_on_signal(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit("the worker ended")
