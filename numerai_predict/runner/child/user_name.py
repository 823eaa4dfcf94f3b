"""Gives the model's user and group a name where the machine's lists have none.

A container may run as any user id. `getpass.getuser`, `pathlib` and libraries such as torch look
the name up, and fail without one.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable
from typing import Any, TypeVar

_Entry = TypeVar("_Entry")
_NO_LOGIN = "/usr/sbin/nologin"


def name_own_user() -> None:
    """Let `pwd`, `grp` and `os.getlogin` answer for this process's user in any case."""
    pwd.getpwuid = _or_own(pwd.getpwuid, _is_own_user, _own_user)
    pwd.getpwnam = _or_own(pwd.getpwnam, _is_own_name, _own_user)
    grp.getgrgid = _or_own(grp.getgrgid, _is_own_group, _own_group)
    os.getlogin = _with_variable(os.getlogin)


def _is_own_user(uid: int) -> bool:
    return uid == os.getuid()


def _is_own_name(name: str) -> bool:
    return name == os.environ.get("USER")


def _is_own_group(gid: int) -> bool:
    return gid in (os.getgid(), os.getegid())


def _own_user() -> pwd.struct_passwd:
    uid = os.getuid()
    name, home = os.environ.get("USER", str(uid)), os.environ.get("HOME", "/")
    return pwd.struct_passwd((name, "x", uid, os.getgid(), "", home, _NO_LOGIN))


def _own_group() -> grp.struct_group:
    gid = os.getgid()
    return grp.struct_group((os.environ.get("USER", str(gid)), "x", gid, []))


def _or_own(
    lookup: Callable[..., _Entry], is_own: Callable[[Any], bool], own: Callable[[], _Entry]
) -> Callable[..., _Entry]:
    def with_own_entry(*key: Any, **named_key: Any) -> _Entry:
        """The entry; that of the process itself if the machine has none."""
        try:
            return lookup(*key, **named_key)
        except KeyError:
            if not is_own(*key, *named_key.values()):
                raise
        return own()

    return with_own_entry


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
