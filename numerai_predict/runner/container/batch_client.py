"""Many calls of one model in a container; the host's side of `batch_server`."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import ERROR_BY_VERDICT, DatasetUnavailable, InternalError
from numerai_predict.contract.model_call import ModelCall
from numerai_predict.contract.record import Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.runner.batch import BatchCall
from numerai_predict.runner.container.batch_server import (
    BatchRequest,
    CallFailure,
    CallRequest,
    CallResponse,
    ResponseKind,
)
from numerai_predict.runner.container.engine import batch_container
from numerai_predict.runner.container.target import ContainerImage
from numerai_predict.runner.environment_info import current_environment

# In addition to the time limit of the model: to start the container and to read the data.
_OVERHEAD_SECONDS = 120.0
_EXIT_SECONDS = 20.0
_POLL_SECONDS = 1.0
_CHUNK_BYTES = 1024 * 1024


class ContainerBatch:
    """A `Batch` in a container, which reads the model and the files of the calls only.

    Args:
        model: the pickle.
        directory: holds the files of all calls.
        repeated: whether a batch of the same model ran before: its messages are not repeated.
    """

    def __init__(
        self,
        target: ContainerImage,
        model: Path,
        directory: Path,
        call: ModelCall,
        deadline: Deadline,
        *,
        repeated: bool = False,
    ) -> None:
        self._target = target
        self._request = _batch_request(model, directory, call, deadline, repeated=repeated)
        self._mounts = [model, directory]
        self._sandbox = call.sandbox
        self._limit_seconds = call.limits.seconds
        self._deadline = deadline
        self._container: _BatchContainer | None = None
        self._record = Record(environment=current_environment())

    def __enter__(self) -> ContainerBatch:
        """The batch itself; the container starts with the first call."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the container; after success with the final record of what ran in it."""
        if self._container is None:
            return
        try:
            if error is None:
                self._container.close()
                self._receive(self._container)
        finally:
            self._container.end()

    def predict(self, call: BatchCall) -> list[float]:
        """As `Batch.predict`."""
        if self._container is None:
            self._container = _BatchContainer(self._target, self._mounts, self._sandbox)
            self._container.send(self._request)
        self._container.send(_call_request(call))
        return self._receive(self._container)

    @property
    def record(self) -> Record:
        """As `Batch.record`."""
        return self._record

    def _receive(self, container: _BatchContainer) -> list[float]:
        response = container.receive(self._limit_seconds, self._deadline)
        runner = self._record.environment.runner
        record = Record.from_dict(response.record)
        self._record = replace(record, environment=replace(record.environment, runner=runner))
        return response.values


class _BatchContainer:
    """A running container with pipes to its standard input and output."""

    def __init__(self, target: ContainerImage, mounts: list[Path], sandbox: Sandbox) -> None:
        self._engine = target.engine
        self._name = f"numerai-calls-{secrets.token_hex(6)}"
        self._buffer = b""
        responses, responses_end = os.pipe()
        requests_end, requests = os.pipe()
        profile = self._engine.seccomp_profile(sandbox)
        container = batch_container(target.image.name, self._name, mounts, profile)
        argv = container.argv(self._engine.command)
        try:
            self._process = subprocess.Popen(argv, stdin=requests_end, stdout=responses_end)
        finally:
            os.close(requests_end)
            os.close(responses_end)
        self._responses = os.fdopen(responses, "rb", buffering=0)
        self._requests = os.fdopen(requests, "wb", buffering=0)

    def send(self, request: BatchRequest | CallRequest) -> None:
        """Send a request. If the container has ended, receiving the response raises."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(json.dumps(asdict(request)).encode() + b"\n")

    def close(self) -> None:
        """Close the requests: the server then sends its last response and exits."""
        self._requests.close()

    def receive(self, limit_seconds: float | None, deadline: Deadline) -> CallResponse:
        """The next response.

        Raises:
            RunError: the model failed, or no response came in time.
        """
        content = json.loads(self._line(limit_seconds, deadline))
        if ResponseKind(content.pop("kind")) is ResponseKind.FAILURE:
            failure = CallFailure(**content)
            error_type = ERROR_BY_VERDICT.get(failure.verdict, InternalError)
            raise error_type(failure.message, failure.remedy)
        return CallResponse(**content)

    def _line(self, limit_seconds: float | None, deadline: Deadline) -> bytes:
        until = time.monotonic() + _OVERHEAD_SECONDS + (limit_seconds or float("inf"))
        with selectors.DefaultSelector() as selector:
            selector.register(self._responses, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(deadline.wait(_POLL_SECONDS, "predict")):
                    chunk = b"" if time.monotonic() > until else None
                else:
                    chunk = self._responses.read(_CHUNK_BYTES)
                if chunk == b"":
                    raise InternalError(
                        "expected a response from the container, found that it sent none",
                        "look at the log above, and check that the container engine works",
                    )
                self._buffer += chunk or b""
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def end(self) -> None:
        """Wait for the container to exit, and kill it if it does not."""
        with contextlib.suppress(BrokenPipeError):
            self.close()
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._engine.kill_container(self._name)
            self._process.kill()
            self._process.wait()
        self._responses.close()


def _batch_request(
    model: Path, directory: Path, call: ModelCall, deadline: Deadline, *, repeated: bool
) -> BatchRequest:
    return BatchRequest(
        model=str(model),
        directory=str(directory),
        labels=asdict(call.labels),
        memory_bytes=call.limits.memory_bytes,
        seconds=call.limits.seconds,
        sandbox=call.sandbox.value,
        seconds_left=deadline.left(),
        repeated=repeated,
        debug=call.debug,
        acceleration=call.acceleration,
    )


def _call_request(call: BatchCall) -> CallRequest:
    request = CallRequest(call.name, str(call.dataset), None, equal_allowed=call.equal_allowed)
    try:
        return replace(request, benchmarks=str(call.benchmarks()))
    except DatasetUnavailable as error:  # an error only for a model that takes them
        return replace(request, unavailable=(error.message, error.remedy))
