"""Answers the kernel's questions about system calls by which a model names a process.

The model may name the processes that it started, however they are related to the one that calls;
others fail with the error that they would have as another user's (EPERM), missing ones with ESRCH.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import platform
import select
import struct
from pathlib import Path

from numerai_predict.resources.process_tree import descendants
from numerai_predict.sandbox.process_targets import GROUP_OF, TARGETS, USER_OF
from numerai_predict.sandbox.syscall_numbers import architecture

# linux/seccomp.h
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_QUESTION, _ANSWER = "=QIIiIQ6Q", "=QqiI"
_CONTINUE = 1


class ProcessCalls:
    """The listener of a model's seccomp filter."""

    def __init__(self, listener: int) -> None:
        self.listener = listener
        kind = architecture(platform.machine())
        numbers = {} if kind is None else {kind.number(call): call for call in TARGETS}
        self._calls = numbers

    def answer(self) -> bool:
        """Answer one question; returns whether others can follow."""
        poll = select.poll()
        poll.register(self.listener, select.POLLIN)
        events = dict(poll.poll(0)).get(self.listener, 0)
        if events and not events & select.POLLIN:
            return False  # no process that the filter restricts is left
        with contextlib.suppress(OSError):  # the process that asked has ended
            question = bytearray(struct.calcsize(_QUESTION))
            if events:
                fcntl.ioctl(self.listener, _RECEIVE, question)
                number, _, _, call, _, _, *arguments = struct.unpack(_QUESTION, question)
                error = denial(self._calls.get(call, ""), arguments)
                flags = 0 if error else _CONTINUE
                fcntl.ioctl(self.listener, _SEND, struct.pack(_ANSWER, number, 0, -error, flags))
        return True

    def close(self) -> None:
        """Close the listener: calls that are asked about then fail."""
        os.close(self.listener)


def denial(call: str, arguments: list[int]) -> int:
    """The error that a call of a model fails with; 0 if it names processes of its own."""
    if call not in TARGETS:
        return errno.EPERM
    which = _signed(arguments[0])
    who = _signed(arguments[TARGETS[call]])
    if which == USER_OF.get(call):
        return errno.EPERM
    processes = descendants(os.getpid()).processes
    if which == GROUP_OF.get(call):
        return 0 if who in _groups(processes) else errno.EPERM
    if call == "kill" and who < 0:
        return 0 if -who in _groups(processes) else errno.EPERM
    process = _process_of(who)
    if process is None:
        return errno.ESRCH
    return 0 if process in processes else errno.EPERM


def _signed(argument: int) -> int:
    """The argument as the kernel takes it: its low 32 bits, with a sign."""
    return int(struct.unpack("=i", struct.pack("=I", argument & 0xFFFFFFFF))[0])


def _groups(processes: list[int]) -> set[int]:
    groups = set()
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            groups.add(os.getpgid(pid))
    return groups


def _process_of(task: int) -> int | None:
    """The process of a thread, or the process itself; `None` if there is none."""
    try:
        lines = Path(f"/proc/{task}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("Tgid:")), None)
