"""The zygote: holds libraries and data in memory and forks supervisors."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import select
import signal
import socket
import time
import traceback
from dataclasses import asdict
from typing import NoReturn

from numerai_predict.fleet.worker import supervisor
from numerai_predict.fleet.worker.messages import MessageKind, ReadyWorker, StartRequest
from numerai_predict.fleet.worker.preload import Preloaded, preload
from numerai_predict.resources.memory import resident_bytes
from numerai_predict.resources.process_tree import adopt_orphans, descendants, kill_descendants
from numerai_predict.runner.protocol import Frame, encode
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, prctl

_POLL_SECONDS = 1.0
_EXIT_SECONDS = 5.0
_REAP_SECONDS = 0.01
_MAX_MESSAGE_CHARACTERS = 1000


def main(control: socket.socket, start: StartRequest) -> NoReturn:
    """Preload, report that, then fork a supervisor for each pair of descriptors received."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.signal(signal.SIGTERM, _exit_on_signal)
        signal.pthread_sigmask(
            signal.SIG_UNBLOCK, {signal.SIGTERM}
        )  # the process that started this one may have blocked it
        adopt_orphans()
        supervisor_layers = harden_supervisor()
        preloaded = _preload(control, start)
        gc.collect()
        gc.disable()
        gc.freeze()  # a collection would write to every object and unshare its page
        ready = ReadyWorker(
            python=platform.python_version(),
            libraries=preloaded.libraries,
            seconds=preloaded.seconds,
            bytes=resident_bytes([os.getpid()]),
        )
        control.sendall(encode(Frame(MessageKind.READY, asdict(ready))))
        _Zygote(control, preloaded, supervisor_layers).serve()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _preload(control: socket.socket, start: StartRequest) -> Preloaded:
    try:
        return preload(start.dataset, start.benchmarks)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"[:_MAX_MESSAGE_CHARACTERS]
        control.sendall(encode(Frame(MessageKind.BROKEN, {"message": message})))
        raise


class _Zygote:
    def __init__(
        self, control: socket.socket, preloaded: Preloaded, supervisor_layers: Layers
    ) -> None:
        self._control = control
        self._preloaded = preloaded
        self._supervisor_layers = supervisor_layers
        self._supervisors: set[int] = set()

    def serve(self) -> None:
        """Fork supervisors until the router is gone."""
        while True:
            readable, _, _ = select.select([self._control], [], [], _POLL_SECONDS)
            if readable:
                signal_byte, ends, _, _ = socket.recv_fds(self._control, 1, 2)
                if not signal_byte:
                    break
                self._fork(*ends)
            self._reap()
        self._finish()

    def _fork(self, request_end: int, response_end: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._control.close()
            supervisor.main(request_end, response_end, self._preloaded, self._supervisor_layers)
        self._supervisors.add(pid)
        os.close(request_end)
        os.close(response_end)

    def _reap(self) -> None:
        """Reap exited processes; after a failed supervisor kill what it left running."""
        failed = False
        with contextlib.suppress(ChildProcessError):
            while (exited := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                pid, status = exited
                failed |= status != 0
                self._supervisors.discard(pid)
        if failed:
            self._kill_orphans()

    def _kill_orphans(self) -> None:
        """Kill the descendants of models whose supervisor was killed."""
        known = {pid for each in self._supervisors for pid in [each, *descendants(each).processes]}
        for pid in descendants(os.getpid()).processes:
            if pid not in known:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _finish(self) -> None:
        for pid in self._supervisors:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + _EXIT_SECONDS
        while self._supervisors and time.monotonic() < until:
            self._reap()
            time.sleep(_REAP_SECONDS)
        self._supervisors.clear()
        self._kill_orphans()


def _exit_on_signal(_number: int, _frame: object) -> None:
    """The router has exited: kill all descendants and exit at once."""
    kill_descendants(time.monotonic() + _EXIT_SECONDS)
    os._exit(1)
