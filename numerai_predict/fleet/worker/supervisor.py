"""One model in the worker, from its request to its answer: what a single run's parent does.

It holds no credentials and does not judge the predictions: they go to the agent as they came.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import signal
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import NoReturn

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import Limits, format_size
from numerai_predict.contract.record import Record
from numerai_predict.contract.redaction import redact_text
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.worker.fork import fork
from numerai_predict.fleet.worker.messages import DONE, LOG, RunRequest
from numerai_predict.fleet.worker.preload import Preloaded
from numerai_predict.runner import preflight
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.protocol import Frame, encode
from numerai_predict.runner.run_log import log_model_line, log_step, logger
from numerai_predict.runner.supervisor.model_process import ModelProcess
from numerai_predict.runner.supervisor.network_attempts import network_attempt_context
from numerai_predict.runner.supervisor.session import (
    ModelInputs,
    load_and_predict,
    translate_failures,
)
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, prctl

_MOST_LOGGED = 96 * 1024
_LONGEST_MESSAGE = 16 * 1024


def main(request_end: int, answer_end: int, preloaded: Preloaded, hidden: Layers) -> NoReturn:
    """Run the model that the request names, send what came of it, end the process."""
    try:
        # Not SIGKILL: what the model started must be ended, also where the worker was killed.
        signal.signal(signal.SIGTERM, _give_up)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        with os.fdopen(request_end, "rb") as requests:
            request = RunRequest(**json.loads(requests.read()))
        log = _Lines(request.debug)
        if request.cpu is not None:  # inherited by the model: its threads take nobody else's
            os.sched_setaffinity(0, {request.cpu})
        done = _Run(request, preloaded, hidden).outcome()
        _send(answer_end, Frame(LOG, {}, log.text()))
        _send(answer_end, done)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


class _Run:
    def __init__(self, request: RunRequest, preloaded: Preloaded, hidden: Layers) -> None:
        self._request = request
        self._preloaded = preloaded
        self._hidden = hidden
        self._attempts: list[str] = []
        self._record = Record(environment=current_environment())

    def outcome(self) -> Frame:
        """The record as far as it got, and the answer where there is one."""
        answer = None
        try:
            answer = self._answer()
            self._record.conclude(Verdict.OK, "predicted")
        except RunError as error:
            message = error.message[:_LONGEST_MESSAGE]
            self._record.conclude(error.verdict, message, error.remedy[:_LONGEST_MESSAGE])
        except Exception:
            trace = redact_text(traceback.format_exc()[-_LONGEST_MESSAGE:])
            self._record.conclude(Verdict.INTERNAL_ERROR, f"a defect of the worker\n{trace}")
        facts = {"record": asdict(self._record), "attempts": self._attempts}
        if answer is None:
            return Frame(DONE, {**facts, "answer": None})
        return Frame(DONE, {**facts, "answer": answer.facts}, answer.payload)

    def _answer(self) -> Frame:
        request, record = self._request, self._record
        sandbox = Sandbox(request.sandbox)
        limits = Limits(request.memory_bytes, request.seconds)
        job = Job(
            request.source,
            request.dataset_source,
            request.benchmarks_source,
            Path(),
            limits=limits,
            sandbox=sandbox,
        )
        model, dataset = Path(request.model), Path(next(iter(self._preloaded.frames)))
        inspection = preflight.inspect_model(job, record, model)
        shape = self._preloaded.live
        preflight.warn_missing_columns(inspection, record, shape.names)
        start = functools.partial(
            fork,
            limits,
            [model],
            self._preloaded.frames,
            request.user,
            confined=sandbox is not Sandbox.OFF,
        )
        deadline = Deadline.after(request.seconds_left)
        with network_attempt_context() as hosts:
            self._attempts = hosts
            child = ModelProcess(start, limits, deadline, log_model_line, hosts)
            try:
                with child, translate_failures(job, inspection, child):
                    inputs = ModelInputs(model, dataset, self._benchmarks)
                    answer = load_and_predict(child, job, record, self._hidden, inputs)
            finally:
                record.peak_memory_bytes = child.peak_bytes or None
        log_step("predict", f"answered; peak memory {format_size(child.peak_bytes)}")
        return answer

    def _benchmarks(self) -> Path:
        if self._request.no_benchmarks is not None:
            raise DatasetUnavailable(*self._request.no_benchmarks)
        return Path(list(self._preloaded.frames)[-1])


class _Lines(logging.Handler):
    """The run's log lines, as a single run shows them; the first 96 KiB."""

    def __init__(self, debug: bool) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._size = 0
        formatter = logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S")
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        logger.handlers = [self]
        logger.propagate = False
        logger.setLevel(logging.DEBUG if debug else logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, without what URLs in it hold of secrets."""
        line = redact_text(self.format(record))
        self._size += len(line) + 1
        if self._size <= _MOST_LOGGED:
            self._lines.append(line)

    def text(self) -> bytes:
        """All lines that were kept."""
        return "".join(f"{line}\n" for line in self._lines).encode(errors="replace")


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit("the worker ended")


def _send(descriptor: int, frame: Frame) -> None:
    data = memoryview(encode(frame))
    while data:
        data = data[os.write(descriptor, data) :]
