"""The processes beside the model in its namespaces: the first of them, and the one outside."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import platform
import signal
from typing import NoReturn

from numerai_predict.sandbox import capabilities
from numerai_predict.sandbox.syscall_numbers import architecture
from numerai_predict.sandbox.syscalls import PR_SET_DUMPABLE, PR_SET_PDEATHSIG, prctl


def serve_as_init(owner: tuple[int, int] | None) -> NoReturn:
    """Reap orphans as process 1 of a PID namespace; its end kills every process in it.

    It has no privileges and no descriptors, and is not dumpable: the model, which may have the
    same user, cannot read or change its memory.
    """
    _close_descriptors()
    _reset_signals()
    _give_up_privileges(owner)
    prctl(PR_SET_DUMPABLE, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        signal.sigwait({signal.SIGCHLD})


def wait_for_model(pid: int) -> NoReturn:
    """Wait until the model process ends, and end the same way."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 1)


def drop_privileges_and_descriptors(owner: tuple[int, int] | None) -> None:
    """Give up descriptors, handlers and privileges, in a process that only waits."""
    _close_descriptors()
    _reset_signals()
    _give_up_privileges(owner)


def _close_descriptors() -> None:
    """Close all descriptors; standard input, output and error are empty."""
    empty = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(empty, descriptor)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _give_up_privileges(owner: tuple[int, int] | None) -> None:
    """Become the user and group `owner`, without capabilities; still end with the caller."""
    kind = architecture(platform.machine())
    capabilities.set_no_new_privs()
    if owner is not None:
        capabilities.switch_user(*owner)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if kind is not None:
        capabilities.drop_capabilities(kind)


def _reset_signals() -> None:
    """Give every signal its default action: of process 1 the kernel then lets none through."""
    faulthandler.disable()
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
