"""A model's process as a fork of this one: what it inherits is libraries and data, no more."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

from numerai_predict.contract.limits import Limits
from numerai_predict.runner.bootstrap import PACKAGE
from numerai_predict.runner.child import main as child
from numerai_predict.runner.run_log import logger
from numerai_predict.runner.supervisor.launch import (
    LaunchSpec,
    ProcessHandle,
    launch_with,
    minimal_environment,
)
from numerai_predict.sandbox.identity import Identity, identity_for_model
from numerai_predict.sandbox.syscalls import PR_SET_DUMPABLE, prctl

_PAUSE_SECONDS = 0.002
_OUT_OF_THE_WAY = 64
_ANSWER = 3


class ForkedProcess:
    """A forked child; the part of `subprocess.Popen` that `launch.Process` names."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; `None` while it runs."""
        if self.returncode is None:
            self._reap(os.WNOHANG)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, for at most that many seconds.

        Raises:
            subprocess.TimeoutExpired: it has not ended.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("the model's process", timeout or 0.0)
            time.sleep(_PAUSE_SECONDS)
        return status

    def _reap(self, options: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:  # reaped with its descendants: those are killed
            self.returncode = -signal.SIGKILL
            return
        if pid:
            self.returncode = os.waitstatus_to_exitcode(status)


def fork(
    limits: Limits,
    readable: Collection[Path],
    frames: Mapping[str, Any],
    user: int,
    *,
    confined: bool,
) -> ProcessHandle:
    """Fork a process that waits to be confined, as `launch.launch` starts one.

    It may read what lies at and below `readable`, has the `frames` in memory by the paths that
    they were read from, and is that user where this process is root.
    """
    identity = identity_for_model(PACKAGE, user) if confined else Identity()

    def start_fork(start: LaunchSpec) -> ForkedProcess:
        pid = os.fork()
        if pid == 0:
            _become_child(start, frames)
        return ForkedProcess(pid)

    return launch_with(
        start_fork,
        limits,
        readable,
        identity,
        minimal_environment(os.environ, threads=1),
        confined=confined,
        in_memory=frozenset(map(Path, frames)),
    )


def _become_child(start: LaunchSpec, frames: Mapping[str, Any]) -> NoReturn:
    """Be as a process that was started: nothing of the supervisor's is left in reach."""
    try:
        ends = (start.requests, start.printed, start.answer)
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, _OUT_OF_THE_WAY) for end in ends]
        requests, printed, answer = high
        for target, source in enumerate((requests, printed, printed, answer)):
            os.dup2(source, target)
        os.closerange(_ANSWER + 1, os.sysconf("SC_OPEN_MAX"))
        _start_afresh(start.scratch, start.environment)
        child.main(_ANSWER, frames)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _start_afresh(scratch: str, environment: Mapping[str, str]) -> None:
    """Put back what a process that was started would have of its own."""
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    os.chdir(scratch)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # else the supervisor's
    logger.handlers = []
    sys.argv = ["-c"]
    prctl(PR_SET_DUMPABLE, 1)  # a supervisor that hides would hide its child from itself
    random.seed()
    with contextlib.suppress(ImportError):
        import numpy as np

        np.random.seed()
    gc.enable()
