"""Gives the model's user a name where the machine's list of users has none.

A container may run as any user id. `getpass.getuser`, `pathlib` and libraries such as torch look
the name up, and fail without one.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable


def name_own_user() -> None:
    """Let `pwd.getpwuid` and `os.getlogin` answer for this process's user in any case."""
    pwd.getpwuid = _with_own_entry(pwd.getpwuid)
    os.getlogin = _with_variable(os.getlogin)


def _with_own_entry(lookup: Callable[[int], pwd.struct_passwd]) -> Callable[..., pwd.struct_passwd]:
    def getpwuid(uid: int, /) -> pwd.struct_passwd:
        """The entry of the user id."""
        try:
            return lookup(uid)
        except KeyError:
            if uid != os.getuid():
                raise
        name, home = os.environ.get("USER", str(uid)), os.environ.get("HOME", "/")
        return pwd.struct_passwd((name, "x", uid, os.getgid(), "", home, "/usr/sbin/nologin"))

    return getpwuid


def _with_variable(lookup: Callable[[], str]) -> Callable[[], str]:
    def getlogin() -> str:
        """The name of the user; a process without a terminal has no login."""
        try:
            return lookup()
        except OSError:
            if "LOGNAME" not in os.environ:
                raise
            return os.environ["LOGNAME"]

    return getlogin
