"""Wrappers of prctl(2), syscall(2) and setfsuid(2), which Python does not offer."""

from __future__ import annotations

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4

_LIBC = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, *arguments: int) -> None:
    """Change an attribute of this process; missing arguments are 0.

    Raises:
        OSError: the kernel refuses.
    """
    padded = (*arguments, 0, 0, 0, 0)[:4]
    if _LIBC.prctl(option, *map(ctypes.c_ulong, padded)) == -1:
        raise _last_error()


def system_call(number: int, *arguments: int | ctypes.c_void_p | None) -> int:
    """Make a system call by its number; returns its result.

    Raises:
        OSError: the kernel refuses, or does not know the call (ENOSYS).
    """
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_LIBC.syscall(ctypes.c_long(number), *wide))
    if result == -1:
        raise _last_error()
    return result


def address(data: bytes) -> ctypes.c_void_p:
    """The address of the bytes, which must stay referenced during the system call."""
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)


def set_file_system_user(user: int, group: int) -> None:
    """Set the user and group that this thread's file accesses, `/proc` too, are checked with."""
    _LIBC.setfsgid(group)
    _LIBC.setfsuid(user)


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
