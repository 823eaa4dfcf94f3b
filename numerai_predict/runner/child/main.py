"""Serves the requests of the supervisor in the model process: apply the sandbox, load, predict.

The process runs untrusted code, so the supervisor validates everything that it sends, and it
ends without running the exit hooks of the model.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, NoReturn, TextIO, TypeVar

from numerai_predict.acceleration.usage import Usage
from numerai_predict.runner import protocol
from numerai_predict.runner.child import network_audit
from numerai_predict.runner.child.acceleration import report, start_acceleration
from numerai_predict.runner.child.allocation_limit import lift_memory_limit, limit_memory
from numerai_predict.runner.child.exception_report import describe
from numerai_predict.runner.child.temporary_directory import shorten_temporary_directory
from numerai_predict.runner.child.user_name import name_own_user
from numerai_predict.runner.protocol import (
    AttemptedHost,
    Frame,
    FrameKind,
    LoadedModel,
    LoadRequest,
    Predicted,
    PredictRequest,
    SandboxRequest,
    Stage,
)
from numerai_predict.sandbox.apply import SandboxSpec, apply_limits_only, apply_sandbox
from numerai_predict.sandbox.namespaces import MOUNT, NETWORK

_RequestType = TypeVar("_RequestType", SandboxRequest, LoadRequest, PredictRequest)


def start() -> NoReturn:
    """Serve the supervisor; argv names the descriptor that frames are written to."""
    main(int(sys.argv.pop(1)))


def main(frames_descriptor: int, in_memory: Mapping[str, Any] | None = None) -> NoReturn:
    """Serve the requests, then end the process.

    `in_memory` are data frames that were read before, by the paths that requests name.
    """
    faulthandler.enable(open(protocol.FAULTS_FILE, "w"))  # noqa: SIM115 - open to the end
    requests = _take_standard_input()
    server = _Server(requests, frames_descriptor, in_memory or {})
    try:
        sandboxed = _apply_layers(_next_request(requests, SandboxRequest))
        name_own_user()
        if sandboxed.content["engaged"].get(MOUNT, "off") != "off":  # then /tmp is private
            shorten_temporary_directory()
        server.has_loopback = NETWORK in sandboxed.content["engaged"]
        _import_libraries()
        _send(frames_descriptor, sandboxed)
        last = server.serve()
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the model's too
        lift_memory_limit()  # describing a MemoryError takes some memory
        last = Frame(FrameKind.FAILED, {**describe(error), "stage": server.stage})
    _flush_output()
    network_audit.stop_reporting()
    _send(frames_descriptor, last)
    os._exit(0)  # without waiting for endless threads and exit hooks


class _Server:
    """Loads and calls the model; `stage` is what it is doing.

    `has_loopback`: it has a network namespace of its own.
    """

    def __init__(
        self, requests: TextIO, frames_descriptor: int, in_memory: Mapping[str, Any]
    ) -> None:
        self._requests = requests
        self._frames_descriptor = frames_descriptor
        self._in_memory = in_memory
        self._usage = Usage()
        self.stage = Stage.START
        self.has_loopback = False

    def serve(self) -> Frame:
        """The last frame of a model that returned; those before it are sent."""
        from numerai_predict.runner.child import model_loader

        self.stage = Stage.LOAD
        request = _next_request(self._requests, LoadRequest)
        network_audit.install_audit_hook(self._send_attempted_host, loopback=self.has_loopback)
        self._usage = start_acceleration(allowed=request.acceleration)
        limit_memory(request.memory_bytes)
        predict, unpickle_seconds = _timed(lambda: model_loader.load(request.model))
        arity, name = model_loader.positional_arity(predict), model_loader.display_name(predict)
        form = model_loader.signature_form(predict)
        self.stage = Stage.READ
        live, read_seconds = _timed(lambda: self._read(request.dataset))
        loaded = LoadedModel(arity, name, unpickle_seconds + read_seconds, form)
        _send(self._frames_descriptor, Frame(FrameKind.LOADED, asdict(loaded)))
        arguments = [live]
        del live
        return self._serve_calls(predict, arguments, form.misplaced)

    def _serve_calls(
        self, predict: Callable[..., Any], arguments: list[Any], misplaced: str
    ) -> Frame:
        """Call the model once per request; the last response is returned, not sent."""
        from numerai_predict.runner.child import prediction_encoder

        while True:
            request = _next_request(self._requests, PredictRequest)
            if request.dataset is not None:
                self.stage = Stage.READ
                arguments.append(self._read(request.dataset))
            if request.benchmarks is not None:
                self.stage = Stage.READ_BENCHMARKS
                arguments.append(self._read(request.benchmarks))
            self.stage = Stage.PREDICT
            returned, seconds = _timed(lambda: predict(*arguments))
            self.stage = Stage.ENCODE
            content, payload = prediction_encoder.encode(returned)
            content["form"] = replace(content["form"], misplaced=misplaced)
            acceleration = report(self._usage)
            predicted = Predicted(**content, seconds=seconds, acceleration=acceleration)
            response = Frame(FrameKind.PREDICTED, asdict(predicted), payload)
            if not request.more:
                return response
            del returned
            arguments.clear()
            _flush_output()
            with network_audit.pause_reporting():
                _send(self._frames_descriptor, response)

    def _read(self, path: str) -> Any:
        import pandas as pd

        return self._in_memory[path] if path in self._in_memory else pd.read_parquet(path)

    def _send_attempted_host(self, host: str) -> None:
        frame = Frame(FrameKind.ATTEMPTED, asdict(AttemptedHost(host)))
        _send(self._frames_descriptor, frame)


def _apply_layers(request: SandboxRequest) -> Frame:
    """Apply the layers; the frame with the status of each."""
    spec = SandboxSpec.from_dict(request.spec)
    layers = apply_sandbox(spec) if request.isolate else apply_limits_only(spec)
    return Frame(FrameKind.SANDBOXED, asdict(layers))


def _import_libraries() -> None:
    """Import what loads and calls a model, while the supervisor still fetches.

    Before the frame of the sandbox is sent: the supervisor knows that a failure until then is
    not the model's.
    """
    import pandas  # noqa: F401

    from numerai_predict.runner.child import model_loader, prediction_encoder  # noqa: F401


def _take_standard_input() -> TextIO:
    """The pipe of requests, out of the model's reach; its standard input is empty."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return requests


def _next_request(requests: TextIO, kind: type[_RequestType]) -> _RequestType:
    line = requests.readline()
    if not line:  # the supervisor is gone
        os._exit(1)
    return protocol.parse_request(line, kind)


def _timed(step: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = step()
    return result, time.perf_counter() - started


def _flush_output() -> None:
    """Flush what the model printed, from Python and from C, before the response."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):  # the model may have closed or replaced it
            stream.flush()  # type: ignore[union-attr]
    ctypes.CDLL(None).fflush(None)


def _send(descriptor: int, frame: Frame) -> None:
    try:
        protocol.write_frame(descriptor, frame)
    except OSError:
        os._exit(protocol.LOST_PIPE)
