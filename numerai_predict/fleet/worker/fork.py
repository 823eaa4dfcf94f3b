"""Forks the model process from the preloaded supervisor of a worker."""

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

from numerai_predict.contract.bootstrap import PACKAGE_FILES
from numerai_predict.contract.limits import Limits
from numerai_predict.fleet.worker.inherited_folders import InheritedFolders
from numerai_predict.runner.child import main as model_process
from numerai_predict.runner.run_log import logger
from numerai_predict.runner.supervisor.launch import (
    LaunchSpec,
    ProcessHandle,
    launch_with,
    minimal_environment,
)
from numerai_predict.sandbox.identity import Identity, identity_for_model
from numerai_predict.sandbox.syscalls import PR_SET_DUMPABLE, prctl

_POLL_SECONDS = 0.002
# The descriptors of the pipes are moved above this number before 0 to 3 are replaced.
_FIRST_FREE_DESCRIPTOR = 64
_FRAMES_DESCRIPTOR = 3


class ForkedProcess:
    """A forked process; the part of `subprocess.Popen` that `launch.Process` names."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; `None` while it runs."""
        if self.returncode is None:
            self._reap(os.WNOHANG)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit, for at most `timeout` seconds.

        Raises:
            subprocess.TimeoutExpired: it has not exited.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("the model process", timeout or 0.0)
            time.sleep(_POLL_SECONDS)
        return status

    def _reap(self, options: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:  # reaped together with its descendants, which are killed
            self.returncode = -signal.SIGKILL
            return
        if pid:
            self.returncode = os.waitstatus_to_exitcode(status)


def fork(
    limits: Limits,
    readable: Collection[Path],
    in_memory: Mapping[str, Any],
    user: int,
    folders: InheritedFolders,
    *,
    sandboxed: bool,
) -> ProcessHandle:
    """Fork a model process that waits for requests, as `launch.launch` starts one.

    It may read files at and below `readable`, holds the data frames `in_memory` by the paths
    that they were read from, and runs as the uid `user` if this process is root. Libraries that
    keep one of `folders` use its scratch directory instead.
    """
    identity = identity_for_model(PACKAGE_FILES, user) if sandboxed else Identity()

    def start_fork(spec: LaunchSpec) -> ForkedProcess:
        pid = os.fork()
        if pid == 0:
            _become_model_process(spec, in_memory, folders)
        return ForkedProcess(pid)

    return launch_with(
        start_fork,
        limits,
        readable,
        identity,
        minimal_environment(os.environ, threads=1),
        sandboxed=sandboxed,
        in_memory=frozenset(map(Path, in_memory)),
    )


def _become_model_process(
    spec: LaunchSpec, in_memory: Mapping[str, Any], folders: InheritedFolders
) -> NoReturn:
    """Serve requests like a newly started process, without access to the supervisor's state."""
    try:
        pipes = (spec.requests, spec.output, spec.frames)
        moved = [fcntl.fcntl(end, fcntl.F_DUPFD, _FIRST_FREE_DESCRIPTOR) for end in pipes]
        requests, output, frames = moved
        for target, source in enumerate((requests, output, output, frames)):
            os.dup2(source, target)
        os.closerange(_FRAMES_DESCRIPTOR + 1, os.sysconf("SC_OPEN_MAX"))
        _reset_process_state(spec.scratch, spec.environment)
        folders.move_to(spec.scratch)
        model_process.main(_FRAMES_DESCRIPTOR, in_memory)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _reset_process_state(scratch: str, environment: Mapping[str, str]) -> None:
    """Restore the state that a newly started process would have."""
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
    prctl(PR_SET_DUMPABLE, 1)  # a non-dumpable supervisor could not inspect its model process
    random.seed()
    with contextlib.suppress(ImportError):
        import numpy as np

        np.random.seed()
    gc.enable()
