"""Many calls of one model in an image of another Python: this side of `served.py`."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import subprocess
import time
from collections.abc import Generator, Iterable
from dataclasses import asdict
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, InternalError, RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record, Seconds
from numerai_predict.contract.redaction import redact
from numerai_predict.runner.batch import BatchCall
from numerai_predict.runner.container.batch_server import (
    BatchRequest,
    CallFailure,
    CallRequest,
    CallResponse,
)
from numerai_predict.runner.container.engine import batch_container
from numerai_predict.runner.container.target import ContainerImage

# Beside a model's own time: for the engine to start a container, for data to be read.
_PATIENCE_SECONDS = 120.0
_ENDING_SECONDS = 20.0
_TICK_SECONDS = 1.0
_CHUNK_BYTES = 1024 * 1024


def predict_batch_in_container(
    place: ContainerImage,
    model: Path,
    calls: Iterable[BatchCall],
    job: Job,
    record: Record,
    deadline: Deadline,
    *,
    repeated: bool,
) -> Generator[list[float], None, None]:
    """As `many.predict_many`, by a container that has the model's file and those of the calls.

    The calls' files lie in one folder. `repeated`: a container like this one ran before.

    Raises:
        RunError: as of a single run; the message names the call.
    """
    order = _order(model, job, deadline, repeated=repeated)
    container: _BatchContainer | None = None
    try:
        for call in calls:
            if container is None:
                container = _BatchContainer(place, [model, call.dataset.parent])
                container.send(order)
            container.send(_asked(call))
            answer = container.answer(job, deadline)
            _keep(record, answer)
            yield answer.values
        if container is not None:
            container.close()
            _keep(record, container.answer(job, deadline))
    finally:
        if container is not None:
            container.end()


class _BatchContainer:
    def __init__(self, place: ContainerImage, mounts: list[Path]) -> None:
        self._engine = place.engine
        self._name = f"numerai-calls-{secrets.token_hex(6)}"
        self._rest = b""
        answers, answers_end = os.pipe()
        requests_end, requests = os.pipe()
        container = batch_container(place.image.name, self._name, mounts)
        argv = container.argv(self._engine.command)
        try:
            self._process = subprocess.Popen(argv, stdin=requests_end, stdout=answers_end)
        finally:
            os.close(requests_end)
            os.close(answers_end)
        self._answers = os.fdopen(answers, "rb", buffering=0)
        self._requests = os.fdopen(requests, "wb", buffering=0)

    def send(self, request: BatchRequest | CallRequest) -> None:
        """Hand over a request; whether anybody takes it the answer tells."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(json.dumps(asdict(request)).encode() + b"\n")

    def close(self) -> None:
        """Say that there are no more requests."""
        self._requests.close()

    def answer(self, job: Job, deadline: Deadline) -> CallResponse:
        """The next answer.

        Raises:
            RunError: the model failed, or no answer came.
        """
        facts = json.loads(self._line(job, deadline))
        kind = facts.pop("kind")
        if kind == CallFailure.__name__:
            failed = CallFailure(**facts)
            raise _error_type(failed.verdict)(failed.message, failed.remedy)
        return CallResponse(**facts)

    def _line(self, job: Job, deadline: Deadline) -> bytes:
        until = time.monotonic() + _PATIENCE_SECONDS + (job.limits.seconds or float("inf"))
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(deadline.wait(_TICK_SECONDS, "predict")):
                    chunk = b"" if time.monotonic() > until else None
                else:
                    chunk = self._answers.read(_CHUNK_BYTES)
                if chunk == b"":
                    raise InternalError(
                        "expected an answer of the container, found that it ended without one",
                        "look at the lines above, and whether the engine works: docker run",
                    )
                self._rest += chunk or b""
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def end(self) -> None:
        """End the container, whatever it does."""
        with contextlib.suppress(BrokenPipeError):
            self.close()
        try:
            self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._engine.kill_container(self._name)
            self._process.kill()
            self._process.wait()
        self._answers.close()


def _order(model: Path, job: Job, deadline: Deadline, *, repeated: bool) -> BatchRequest:
    return BatchRequest(
        model=str(model),
        source=redact(job.model),
        dataset=job.dataset,
        memory_bytes=job.limits.memory_bytes,
        seconds=job.limits.seconds,
        sandbox=job.sandbox.value,
        seconds_left=deadline.left(),
        repeated=repeated,
        debug=job.debug,
    )


def _asked(call: BatchCall) -> CallRequest:
    try:
        return CallRequest(call.name, str(call.dataset), str(call.benchmarks()))
    except DatasetUnavailable as error:  # which matters only to a model that takes them
        return CallRequest(call.name, str(call.dataset), None, (error.message, error.remedy))


def _keep(record: Record, answer: CallResponse) -> None:
    """What the container's record tells of the model and its run."""
    told = answer.record
    record.model.arity = told["model"]["arity"]
    record.model.python = told["model"]["python"]
    record.seconds = Seconds(**told["seconds"])
    record.peak_memory_bytes = told["peak_memory_bytes"]
    record.sandbox = told["sandbox"]
    record.warnings[:] = told["warnings"]
    record.environment.python = told["environment"]["python"]
    record.environment.image = told["environment"]["image"]


def _error_type(verdict: str) -> type[RunError]:
    owners = [kind for kind in RunError.__subclasses__() if "verdict" in vars(kind)]
    kinds = {kind.verdict.word: kind for kind in owners}
    return kinds.get(verdict, InternalError)
