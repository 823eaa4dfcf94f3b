"""The process that has libraries and data in memory: it forks supervisors and does no more."""

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
from typing import NoReturn

from numerai_predict.fleet.worker import messages, supervisor
from numerai_predict.fleet.worker.preload import Preloaded, preload
from numerai_predict.resources.memory import resident_bytes
from numerai_predict.resources.process_tree import adopt_orphans, descendants, kill_descendants
from numerai_predict.runner.protocol import Frame, encode
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, prctl

_TICK_SECONDS = 1.0
_ENDING_SECONDS = 5.0


def main(control: socket.socket, start: messages.StartRequest) -> NoReturn:
    """Load everything, say so, then fork a supervisor for each pair of descriptors that comes."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.signal(signal.SIGTERM, _end)
        signal.pthread_sigmask(
            signal.SIG_UNBLOCK, {signal.SIGTERM}
        )  # who started us may not want it
        adopt_orphans()
        hidden = harden_supervisor()
        preloaded = _preload(control, start)
        gc.collect()
        gc.disable()
        gc.freeze()  # a collection would write to every object, and unshare its page
        facts = {
            "python": platform.python_version(),
            "libraries": preloaded.libraries,
            "seconds": preloaded.seconds,
            "bytes": resident_bytes([os.getpid()]),
        }
        control.sendall(encode(Frame(messages.READY, facts)))
        _Zygote(control, preloaded, hidden).serve()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _preload(control: socket.socket, start: messages.StartRequest) -> Preloaded:
    try:
        return preload(start.dataset, start.benchmarks)
    except Exception as error:
        words = f"{type(error).__name__}: {error}"[:1000]
        control.sendall(encode(Frame(messages.BROKEN, {"message": words})))
        raise


class _Zygote:
    def __init__(self, control: socket.socket, preloaded: Preloaded, hidden: Layers) -> None:
        self._control = control
        self._preloaded = preloaded
        self._hidden = hidden
        self._supervisors: set[int] = set()

    def serve(self) -> None:
        """Until the router is gone."""
        while True:
            readable, _, _ = select.select([self._control], [], [], _TICK_SECONDS)
            if readable:
                word, ends, _, _ = socket.recv_fds(self._control, 1, 2)
                if not word:
                    break
                self._fork(*ends)
            self._reap()
        self._finish()

    def _fork(self, request_end: int, answer_end: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._control.close()
            supervisor.main(request_end, answer_end, self._preloaded, self._hidden)
        self._supervisors.add(pid)
        os.close(request_end)
        os.close(answer_end)

    def _reap(self) -> None:
        failed = False
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                failed |= ended[1] != 0
                self._supervisors.discard(ended[0])
        if failed:
            self._kill_orphans()

    def _kill_orphans(self) -> None:
        """End what a model started and a supervisor that was killed could not end."""
        own = {pid for each in self._supervisors for pid in [each, *descendants(each).processes]}
        for pid in descendants(os.getpid()).processes:
            if pid not in own:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _finish(self) -> None:
        for pid in self._supervisors:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + _ENDING_SECONDS
        while self._supervisors and time.monotonic() < until:
            self._reap()
            time.sleep(0.01)
        self._supervisors.clear()
        self._kill_orphans()


def _end(_number: int, _frame: object) -> None:
    """The router ended: so does all that is below, on the spot, wherever this process stood."""
    kill_descendants(time.monotonic() + _ENDING_SECONDS)
    os._exit(1)
