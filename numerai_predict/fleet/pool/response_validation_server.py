"""The process that forks one process per response to validate.

A response is bytes of a model: to decode it may take long, or more memory than there is. So each
has a process of its own, whose time, CPU time and memory are limited, and which no other waits
for. The server itself never sees a response.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from numerai_predict.fleet.log_buffer import LogBuffer
from numerai_predict.fleet.pool.response_validation import ResponseValidation, ValidationRequest
from numerai_predict.runner.protocol import Frame, FrameReader, encode
from numerai_predict.runner.validation import hosted_rules, submission_rules
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, prctl

VALIDATE, VALIDATED = "validate", "validated"
_CHUNK_BYTES = 1024 * 1024
_GRACE_SECONDS = 10
# Imported before the first fork: no process imports them again.
PRELOADED = (hosted_rules, submission_rules)


def main() -> NoReturn:
    """Serve the worker actor on the socket whose descriptor is the first argument."""
    descriptor, ids, directory, seconds = sys.argv[1:]
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    harden_supervisor()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator handles Ctrl-C
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps its processes
    control = socket.socket(fileno=int(descriptor))
    live_ids = json.loads(Path(ids).read_bytes())
    while True:
        received, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not received:
            os._exit(0)
        (connection,) = descriptors
        if os.fork() == 0:
            control.close()
            _validate(connection, live_ids, Path(directory), float(seconds))
        os.close(connection)


def _validate(descriptor: int, live_ids: list[str], directory: Path, seconds: float) -> NoReturn:
    """Answer one request, end the process."""
    try:
        # For code that a signal's handler cannot interrupt.
        _limit_cpu_seconds(int(seconds) + _GRACE_SECONDS)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = LogBuffer()
        with socket.socket(fileno=descriptor) as connection:
            frame = receive_frame(connection)
            request = ValidationRequest(**frame.content)
            validation = ResponseValidation(request, live_ids, directory)
            validated = validation.run(frame.payload, seconds)
            content = {
                "record": asdict(validated.record),
                "valid": validated.csv is not None,
                "log": log.text().decode(),
            }
            connection.sendall(encode(Frame(VALIDATED, content, validated.csv or b"")))
        os._exit(0)
    except BaseException:
        with contextlib.suppress(Exception):
            traceback.print_exc()
    finally:
        os._exit(1)


def _limit_cpu_seconds(seconds: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard == resource.RLIM_INFINITY or seconds < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def receive_frame(connection: socket.socket) -> Frame:
    """The frame that the other end sends.

    Raises:
        ConnectionError: the other end closed the connection before.
        TimeoutError: it was silent for longer than the socket's timeout.
    """
    reader = FrameReader()
    while chunk := connection.recv(_CHUNK_BYTES):
        if frames := reader.feed(chunk):
            return frames[0]
    raise ConnectionError("the connection was closed before a frame was complete")
