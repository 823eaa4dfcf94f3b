"""The child's steps: load, report, read, call, hand back.

It runs a stranger's program, so nothing that it says is believed without a
check by the parent, and it ends without running the model's own exit hooks.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NoReturn, TextIO

from numerai_predict.runner import protocol
from numerai_predict.runner.child import network_audit
from numerai_predict.runner.child.exception_report import describe
from numerai_predict.sandbox.apply import SandboxSpec, apply_limits_only, apply_sandbox

# Address space that libraries reserve and never touch (stacks of threads, arenas of
# allocators, OpenBLAS buffers) counts against RLIMIT_DATA, but is no memory. What is
# reserved so far is known; this much more may come.
_RESERVE_BYTES = 1024**3


def start() -> NoReturn:
    """Serve the supervisor of the process's argv: the descriptor that responses are written to."""
    main(int(sys.argv.pop(1)))


def main(answer_descriptor: int, in_memory: Mapping[str, Any] | None = None) -> NoReturn:
    """Serve the requests, then end the process.

    `in_memory` are frames that were read before, by the paths that requests name.
    """
    faulthandler.enable(open(protocol.FAULTS_FILE, "w"))  # noqa: SIM115 - open to the end
    requests = _take_standard_input()
    _send(answer_descriptor, _confined(protocol.ConfineRequest(**_next_request(requests))))
    steps = _Steps(requests, answer_descriptor, in_memory or {})
    try:
        answer = steps.run()
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the model's too
        _lift_memory_limit()  # telling of a MemoryError takes some
        answer = protocol.Frame(protocol.FAILED, {**describe(error), "stage": steps.stage})
    _flush_output()
    network_audit.stop_reporting()
    _send(answer_descriptor, answer)
    os._exit(0)  # threads that never end and exit hooks are not waited for


class _Steps:
    """What is done between start and answer; `stage` names what is being done."""

    def __init__(
        self, requests: TextIO, answer_descriptor: int, in_memory: Mapping[str, Any]
    ) -> None:
        self._requests = requests
        self._answer_descriptor = answer_descriptor
        self._in_memory = in_memory
        self.stage = "start"

    def run(self) -> protocol.Frame:
        """The last answer of a model that returned; those before it are sent."""
        import pandas  # noqa: F401 - while the parent still fetches

        from numerai_predict.runner.child import model_loader, prediction_encoder

        load = protocol.LoadRequest(**_next_request(self._requests))
        self.stage = "load"
        network_audit.install_audit_hook(self._send_attempt)
        _limit_memory(load.memory_bytes)
        predict, unpickle_seconds = _timed(lambda: model_loader.load(load.model))
        facts = {
            "arity": model_loader.positional_arity(predict),
            "name": model_loader.display_name(predict),
        }
        self.stage = "read"
        live, read_seconds = _timed(lambda: self._read(load.dataset))
        facts["seconds"] = unpickle_seconds + read_seconds
        _send(self._answer_descriptor, protocol.Frame(protocol.LOADED, facts))
        frames = [live]
        del live
        while True:
            request = protocol.PredictRequest(**_next_request(self._requests))
            self._read_frames(frames, request)
            self.stage = "predict"
            returned, seconds = _timed(lambda: predict(*frames))
            self.stage = "answer"
            facts, payload = prediction_encoder.encode(returned)
            predicted = protocol.Frame(protocol.PREDICTED, {**facts, "seconds": seconds}, payload)
            if not request.more:
                return predicted
            del returned
            frames.clear()
            _flush_output()
            with network_audit.pause_reporting():
                _send(self._answer_descriptor, predicted)

    def _read_frames(self, frames: list[Any], request: protocol.PredictRequest) -> None:
        """Have the call's frames in the list; what was read with the model stays there."""
        if request.dataset is not None:
            self.stage = "read"
            frames[:] = []
            frames.append(self._read(request.dataset))
        self.stage = "read benchmarks"
        if request.benchmarks is not None:
            frames.append(self._read(request.benchmarks))

    def _read(self, path: str) -> Any:
        import pandas as pd

        return self._in_memory[path] if path in self._in_memory else pd.read_parquet(path)

    def _send_attempt(self, what: str) -> None:
        _send(self._answer_descriptor, protocol.Frame(protocol.TRIED, {"what": what}))


def _confined(request: protocol.ConfineRequest) -> protocol.Frame:
    """Put the layers on; the frame that says what became of each."""
    wanted = SandboxSpec.from_dict(request.wanted)
    layers = apply_sandbox(wanted) if request.confine else apply_limits_only(wanted)
    return protocol.Frame(protocol.CONFINED, asdict(layers))


def _take_standard_input() -> TextIO:
    """The pipe of requests, out of the model's way; its standard input is empty."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return requests


def _next_request(requests: TextIO) -> dict[str, Any]:
    line = requests.readline()
    if not line:  # the parent gave up
        os._exit(1)
    request: dict[str, Any] = json.loads(line)
    return request


def _limit_memory(limit_bytes: int | None) -> None:
    """Make one giant allocation fail with a MemoryError, where the model stands.

    Slow growth is the parent's to watch: it counts what is really used.
    """
    if limit_bytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = limit_bytes + _untouched_bytes() + _RESERVE_BYTES
        if hard == resource.RLIM_INFINITY or wanted < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def _untouched_bytes() -> int:
    """Address space of this process that counts as data and is in no memory."""
    with open("/proc/self/status") as status:
        facts = dict(line.split(maxsplit=1) for line in status if line.startswith(("Vm", "Rss")))
    data, resident = (int(facts[name].split()[0]) for name in ("VmData:", "RssAnon:"))
    return (data - resident) * 1024


def _lift_memory_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _timed(step: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = step()
    return result, time.perf_counter() - started


def _flush_output() -> None:
    """Push out what the model printed, from Python and from C, before the answer."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):  # the model may have closed or replaced it
            stream.flush()  # type: ignore[union-attr]
    ctypes.CDLL(None).fflush(None)


def _send(descriptor: int, frame: protocol.Frame) -> None:
    data = memoryview(protocol.encode(frame))
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        os._exit(protocol.LOST_PIPE)
