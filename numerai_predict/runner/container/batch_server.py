"""Serves the calls of one model over pipes; runs inside a container.

Each line of standard input is a JSON object: one `BatchRequest`, then a `CallRequest` per call.
Each line of standard output is a `CallResponse`, or a `CallFailure`, which is the last. The log
goes to standard error. The model process has none of the three.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.error_mapping import run_error_of
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.runner.batch import BatchCall, LocalBatch
from numerai_predict.runner.preflight import check_compatibility, inspect_model
from numerai_predict.runner.run_log import start_logging
from numerai_predict.runner.supervisor.session import InspectedModel
from numerai_predict.sandbox.hide_supervisor import harden_supervisor


@dataclass(frozen=True)
class BatchRequest:
    """What all calls share: the pickle, the directory of the calls' files, names and limits.

    `seconds_left` is the time to the deadline. `repeated` leaves out of the log what was logged
    for an earlier batch of the same model.
    """

    model: str
    directory: str
    labels: dict[str, str]
    memory_bytes: int | None
    seconds: float | None
    sandbox: str
    seconds_left: float | None
    repeated: bool
    debug: bool
    acceleration: bool

    @property
    def model_call(self) -> ModelCall:
        """How the model is loaded and called."""
        return ModelCall(
            SourceLabels(**self.labels),
            Limits(self.memory_bytes, self.seconds),
            Sandbox(self.sandbox),
            self.debug,
            acceleration=self.acceleration,
        )


@dataclass(frozen=True)
class CallRequest:
    """One call; `unavailable` is the message and the remedy where `benchmarks` are missing.

    `equal_allowed` is that of `BatchCall`.
    """

    name: str
    dataset: str
    benchmarks: str | None
    unavailable: tuple[str, str] = ("", "")
    equal_allowed: bool = False


class ResponseKind(Enum):
    """The kind of a line of standard output."""

    PREDICTIONS = "predictions"
    FAILURE = "failure"


@dataclass(frozen=True)
class CallResponse:
    """Predictions in the order of the ids, and the record so far; the last one has no `values`."""

    values: list[float]
    record: dict[str, Any]


@dataclass(frozen=True)
class CallFailure:
    """A failure of the model, with the word of its verdict."""

    verdict: str
    message: str
    remedy: str


def main() -> NoReturn:
    """Serve one batch; a failure of the model is a response, so the exit status is 0."""
    request = BatchRequest(**json.loads(sys.stdin.readline()))
    start_logging(request.debug)
    try:
        with _open_batch(request) as batch:
            for call in _calls():
                values = batch.predict(call)
                _send(CallResponse(values, asdict(batch.record)))
        _send(CallResponse([], asdict(batch.record)))
    except Exception as error:
        failure = run_error_of(error)
        _send(CallFailure(failure.verdict.word, failure.message, failure.remedy))
    sys.exit(0)


def _open_batch(request: BatchRequest) -> LocalBatch:
    call, path = request.model_call, Path(request.model)
    inspection = inspect_model(path)
    warnings = check_compatibility(inspection, call.labels)
    deadline = Deadline.after(request.seconds_left)
    return LocalBatch(
        InspectedModel(path, inspection, tuple(warnings)),
        Path(request.directory),
        call,
        deadline,
        harden_supervisor(),
        repeated=request.repeated,
    )


def _calls() -> Iterator[BatchCall]:
    while line := sys.stdin.readline():
        yield _batch_call(CallRequest(**json.loads(line)))


def _batch_call(request: CallRequest) -> BatchCall:
    def benchmarks() -> Path:
        if request.benchmarks is None:
            raise DatasetUnavailable(*request.unavailable)
        return Path(request.benchmarks)

    return BatchCall(request.name, Path(request.dataset), benchmarks, request.equal_allowed)


def _send(response: CallResponse | CallFailure) -> None:
    is_failure = isinstance(response, CallFailure)
    kind = ResponseKind.FAILURE if is_failure else ResponseKind.PREDICTIONS
    content = {"kind": kind.value, **asdict(response)}
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()
