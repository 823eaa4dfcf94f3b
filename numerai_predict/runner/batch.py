"""One model, many live frames: unpickled once, called once for each, within the limits of a run."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.runner import submission_rules
from numerai_predict.runner.live_data import read_ids
from numerai_predict.runner.protocol import Frame
from numerai_predict.runner.run_log import log_model_line, logger, suppress_info
from numerai_predict.runner.supervisor.launch import launch
from numerai_predict.runner.supervisor.model_process import ModelProcess
from numerai_predict.runner.supervisor.network_attempts import network_attempt_context
from numerai_predict.runner.supervisor.session import (
    ModelInputs,
    decode_response,
    request_load,
    request_predict,
    translate_failures,
)
from numerai_predict.sandbox.layers import Layers


@dataclass(frozen=True)
class BatchCall:
    """One frame of live data, called `name`; `benchmarks` is asked where the model takes them."""

    name: str
    dataset: Path
    benchmarks: Callable[[], Path]


@dataclass(frozen=True)
class InspectedModel:
    """A pickle that was inspected and fits this Python."""

    path: Path
    inspection: Inspection


def predict_batch(
    model: InspectedModel,
    calls: Iterable[BatchCall],
    job: Job,
    record: Record,
    deadline: Deadline,
    hidden: Layers,
    *,
    repeated: bool = False,
) -> Generator[list[float], None, None]:
    """The model's predictions for each frame, in the order of its ids, checked as a submission.

    One process serves them all, in turn: the next call is taken when its turn comes, so that
    its files may replace those of the one before. A call has the time limit of a run less what
    loading took. `record` tells of loading, and of the latest call. Nothing of the process is left
    when the generator is closed. `repeated`: what is said of a process was said of one like it.

    Raises:
        RunError: as of a single run; the message names the call.
    """
    waiting = iter(calls)
    first = next(waiting, None)
    if first is None:
        return
    readable = [model.path, first.dataset.parent]
    start = functools.partial(launch, job.limits, readable, confined=job.sandbox is not Sandbox.OFF)
    with network_attempt_context() as attempts:
        show = logger.debug if repeated else log_model_line
        child = ModelProcess(start, job.limits, deadline, show, attempts)
        try:
            with child, translate_failures(job, model.inspection, child):
                inputs = ModelInputs(model.path, first.dataset, first.benchmarks)
                with suppress_info() if repeated else nullcontext():
                    request_load(child, job, record, hidden, inputs)
                for call in itertools.chain([first], waiting):
                    with _naming(call), translate_failures(job, model.inspection, child):
                        answer = _ask(child, record, call, is_first=call is first)
                        predictions = decode_response(answer, read_ids(call.dataset, job.dataset))
                        submission_rules.check(predictions)
                    yield predictions.in_live_order()
        finally:
            record.peak_memory_bytes = child.peak_bytes or None


def _ask(child: ModelProcess, record: Record, call: BatchCall, *, is_first: bool) -> Frame:
    benchmarks = call.benchmarks() if record.model.arity == 2 else None
    dataset = None if is_first else call.dataset
    return request_predict(child, record, benchmarks, dataset, more=True)


@contextmanager
def _naming(call: BatchCall) -> Iterator[None]:
    """Have an error say which call it was that failed."""
    try:
        yield
    except RunError as error:
        title, *details = error.message.splitlines()
        message = "\n".join([f"{call.name}: {title}", *details])
        raise type(error)(message, error.remedy) from error
