"""Many calls of one model, asked for and answered over pipes: what runs in an image.

Each line of standard input is a JSON object: one `BatchRequest`, then a `CallRequest` for each
call. Each line of standard output is a `CallResponse`, or a `CallFailure`, which is the last. The
log goes to standard error. The model process has none of the three.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.record import Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.runner.batch import BatchCall, InspectedModel, predict_batch
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.preflight import inspect_model
from numerai_predict.runner.run_log import start_logging
from numerai_predict.sandbox.hide_supervisor import harden_supervisor


@dataclass(frozen=True)
class BatchRequest:
    """What all calls share. `model` is a file; `source` and `dataset` are how they are called.

    `repeated` asks to leave out of the log what was said of a process like this one.
    """

    model: str
    source: str
    dataset: str
    memory_bytes: int | None
    seconds: float | None
    sandbox: str
    seconds_left: float | None
    repeated: bool
    debug: bool


@dataclass(frozen=True)
class CallRequest:
    """One call; without `benchmarks`, `without` are the message and the remedy for missing them."""

    name: str
    dataset: str
    benchmarks: str | None
    without: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class CallResponse:
    """Predictions in the order of the ids, and the record so far; at the end no `values`."""

    values: list[float]
    record: dict[str, Any]


@dataclass(frozen=True)
class CallFailure:
    """A failure with its verdict, by its word."""

    verdict: str
    message: str
    remedy: str


def main() -> NoReturn:
    """Serve one order; what is wrong with the model is an answer, so that it ends with 0."""
    order = BatchRequest(**json.loads(sys.stdin.readline()))
    start_logging(order.debug)
    record = Record(environment=current_environment())
    try:
        for values in _predictions(order, record):
            _say(CallResponse(values, asdict(record)))
        _say(CallResponse([], asdict(record)))
    except RunError as error:
        _say(CallFailure(error.verdict.word, error.message, error.remedy))
    sys.exit(0)


def _predictions(order: BatchRequest, record: Record) -> Iterator[list[float]]:
    job = Job(
        model=order.source,
        dataset=order.dataset,
        benchmarks="the benchmark models",
        output_dir=Path(),
        limits=Limits(order.memory_bytes, order.seconds),
        sandbox=Sandbox(order.sandbox),
        debug=order.debug,
    )
    path = Path(order.model)
    model = InspectedModel(path, inspect_model(job, record, path))
    deadline = Deadline.after(order.seconds_left)
    hidden = harden_supervisor()
    return predict_batch(model, _calls(), job, record, deadline, hidden, repeated=order.repeated)


def _calls() -> Iterator[BatchCall]:
    while line := sys.stdin.readline():
        yield _call(CallRequest(**json.loads(line)))


def _call(asked: CallRequest) -> BatchCall:
    def benchmarks() -> Path:
        if asked.benchmarks is None:
            raise DatasetUnavailable(*asked.without)
        return Path(asked.benchmarks)

    return BatchCall(asked.name, Path(asked.dataset), benchmarks)


def _say(what: CallResponse | CallFailure) -> None:
    facts = {"kind": type(what).__name__, **asdict(what)}
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
