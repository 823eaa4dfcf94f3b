"""The worker actor's side of validation: each response is validated in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import threading
from dataclasses import asdict
from pathlib import Path

from numerai_predict.contract.bootstrap import bootstrap_argv
from numerai_predict.contract.errors import ModelTimeout, RunError
from numerai_predict.contract.record import Record
from numerai_predict.fleet.pool.response_validation import Validated, ValidationRequest
from numerai_predict.fleet.pool.response_validation_server import VALIDATE, receive_frame
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import Frame, encode
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.supervisor.launch import minimal_environment
from numerai_predict.runner.supervisor.session import malformed_response
from numerai_predict.runner.supervisor.time_limit import MAX_RESPONSE_SECONDS

_SERVER = "numerai_predict.fleet.pool.response_validation_server:main"
_GRACE_SECONDS = 30.0
_EXIT_SECONDS = 10.0
_ATTEMPTS = 3


class Validator:
    """Validates responses against the live ids; threads may do so at the same time.

    Args:
        directory: receives its files; no model may read or write it.
        seconds: what may be spent on one response.

    Raises:
        OSError: its process cannot be started.
    """

    def __init__(
        self, live_ids: list[str], directory: Path, seconds: float = MAX_RESPONSE_SECONDS
    ) -> None:
        self._directory = directory
        self._seconds = seconds
        self._ids = directory / f"ids-{secrets.token_hex(4)}.json"
        self._ids.write_text(json.dumps(live_ids))
        self._lock = threading.Lock()
        self._start()

    def validate(self, request: ValidationRequest, payload: bytes) -> tuple[Validated, bytes]:
        """What is known of the model then, and the log lines of its validation.

        Whatever fails, fails this model.
        """
        try:
            return self._validate(request, payload)
        except TimeoutError:
            return self._failed(request, self._too_slow())
        except (ConnectionError, MalformedFrame):
            peak = Record.from_dict(dict(request.record)).peak_memory_bytes or 0
            ended = MalformedFrame("a response that crashes the process that validates it")
            return self._failed(request, malformed_response(ended, peak))
        except Exception as error:
            return self._failed(request, error)

    def close(self) -> None:
        """End its process."""
        self._control.close()
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _validate(self, request: ValidationRequest, payload: bytes) -> tuple[Validated, bytes]:
        with self._connect() as connection:
            connection.settimeout(self._seconds + _GRACE_SECONDS)
            connection.sendall(encode(Frame(VALIDATE, asdict(request), payload)))
            frame = receive_frame(connection)
        csv = frame.payload if frame.content["valid"] else None
        log = str(frame.content["log"]).encode()
        return Validated(Record.from_dict(frame.content["record"]), csv), log

    def _connect(self) -> socket.socket:
        """A connection to a new process; the server is started again if it was killed.

        This is no `RetryPolicy`: a dead process stays dead, so that each attempt needs another one
        and none needs a wait.
        """
        own_end, other_end = socket.socketpair()
        with other_end, self._lock:
            for _ in range(_ATTEMPTS):
                with contextlib.suppress(OSError):
                    socket.send_fds(self._control, [b"v"], [other_end.fileno()])
                    return own_end
                self.close()
                self._start()
        own_end.close()
        raise RuntimeError(f"the validation server ended {_ATTEMPTS} times")

    def _start(self) -> None:
        self._control, server_end = socket.socketpair()
        with server_end:
            descriptor = server_end.fileno()
            arguments = map(str, (descriptor, self._ids, self._directory, self._seconds))
            self._process = subprocess.Popen(
                bootstrap_argv(_SERVER, *arguments),
                stdin=subprocess.DEVNULL,
                pass_fds=(descriptor,),
                env=minimal_environment(os.environ, threads=1),
                start_new_session=True,
            )

    def _too_slow(self) -> RunError:
        return ModelTimeout(
            f"expected a response that can be checked within {self._seconds:g} s, found one that "
            "cannot",
            "return one row per id of live_features, with a column of numbers",
        )

    def _failed(self, request: ValidationRequest, error: Exception) -> tuple[Validated, bytes]:
        builder = RecordBuilder.resume(Record.from_dict(dict(request.record)))
        builder.fail(error)
        return Validated(builder.build(), None), b""
