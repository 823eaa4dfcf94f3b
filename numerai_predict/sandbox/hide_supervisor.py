"""What the parent knows, kept from processes of the same user: it holds credentials."""

from __future__ import annotations

import ctypes
import errno
import resource

from numerai_predict.contract.redaction import redact
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.syscalls import PR_SET_DUMPABLE, prctl

_SECRET_OPTION = b"--post_data"
# Of the fields in /proc/self/stat, counted after the program's name.
_ARGUMENTS_START, _ARGUMENTS_END = 45, 46


def harden_supervisor() -> Layers:
    """Close this process to others of its user: the layer `runner`.

    Its memory, environment and descriptors cannot be read, it leaves no core dump, and
    its command line shows no secret.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        prctl(PR_SET_DUMPABLE, 0)
        _clear_command_line()
    except OSError as error:
        return Layers(missing={"runner": f"the kernel refused it: {error.strerror}"})
    hidden = "memory, environment, descriptors and command line of the runner are hidden"
    return Layers({"runner": hidden})


def _clear_command_line() -> None:
    """Write over the words of the command line where they lie: others read them there."""
    with open("/proc/self/cmdline", "rb") as line:
        words = line.read().split(b"\0")
    with open("/proc/self/stat", "rb") as facts:
        fields = facts.read().rpartition(b")")[2].split()
    start, end = int(fields[_ARGUMENTS_START]), int(fields[_ARGUMENTS_END])
    if not 0 < start < end:
        raise OSError(errno.ENOTSUP, "it does not tell where the command line lies")
    # The last byte stays zero: the kernel takes another one for a title that goes on elsewhere.
    shown = b"\0".join(_without_secrets(words))[: end - start - 1]
    ctypes.memmove(start, shown.ljust(end - start, b"\0"), end - start)


def _without_secrets(words: list[bytes]) -> list[bytes]:
    shown = []
    for before, word in zip([b"", *words], words, strict=False):
        option, equals, value = word.partition(b"=")
        if before == _SECRET_OPTION:
            word = b"***"
        elif option == _SECRET_OPTION and equals:
            word = option + b"=***"
        elif option.startswith(b"--") and equals:
            word = option + b"=" + _redacted(value)
        else:
            word = _redacted(word)
        shown.append(word)
    return shown


def _redacted(word: bytes) -> bytes:
    return redact(word.decode(errors="surrogateescape")).encode(errors="surrogateescape")
