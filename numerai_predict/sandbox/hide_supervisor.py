"""Hides the supervisor, which holds credentials, from other processes of its user."""

from __future__ import annotations

import ctypes
import errno
import resource

from numerai_predict.contract.redaction import redact
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.syscalls import PR_SET_DUMPABLE, prctl

_SECRET_OPTIONS = (b"--post_data", b"--post-data")
# Indexes of arg_start and arg_end in /proc/self/stat, counted after the program's name (proc(5)).
_ARG_START, _ARG_END = 45, 46


def harden_supervisor() -> Layers:
    """Make this process non-dumpable and clear secrets from its command line: the layer `runner`.

    Other processes of the user cannot read its memory, environment or descriptors, and it leaves
    no core dump.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        prctl(PR_SET_DUMPABLE, 0)
        _clear_command_line()
    except OSError as error:
        return Layers(missing={"runner": f"the kernel refused it: {error.strerror}"})
    description = "memory, environment, descriptors and command line of the runner are hidden"
    return Layers({"runner": description})


def _clear_command_line() -> None:
    """Overwrite the secrets in this process's memory from which the kernel shows its arguments."""
    with open("/proc/self/cmdline", "rb") as cmdline:
        arguments = cmdline.read().split(b"\0")
    with open("/proc/self/stat", "rb") as stat:
        fields = stat.read().rpartition(b")")[2].split()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    if not 0 < start < end:
        raise OSError(errno.ENOTSUP, "no address of the command line in /proc/self/stat")
    # The last byte must stay zero: else the kernel takes the text for a title that continues in
    # the environment.
    shown = b"\0".join(_without_secrets(arguments))[: end - start - 1]
    ctypes.memmove(start, shown.ljust(end - start, b"\0"), end - start)


def _without_secrets(arguments: list[bytes]) -> list[bytes]:
    return [
        _without_secret(argument, previous)
        for previous, argument in zip([b"", *arguments], arguments, strict=False)
    ]


def _without_secret(argument: bytes, previous: bytes) -> bytes:
    option, equals, value = argument.partition(b"=")
    if previous in _SECRET_OPTIONS:
        return b"***"
    if option in _SECRET_OPTIONS and equals:
        return option + b"=***"
    if option.startswith(b"--") and equals:
        return option + b"=" + _redacted(value)
    return _redacted(argument)


def _redacted(argument: bytes) -> bytes:
    return redact(argument.decode(errors="surrogateescape")).encode(errors="surrogateescape")
