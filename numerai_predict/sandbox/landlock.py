"""Landlock rulesets: which files a process may reach, enforced by the kernel.

Numbers and structures are those of linux/landlock.h. Each ABI version adds rights; a kernel refuses
rights that it does not know.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

from numerai_predict.sandbox.syscalls import address, system_call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_GET_VERSION = 1
_RULE_PATH_BENEATH = 1
_BIND_TCP, _CONNECT_TCP = 1, 2
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1, 2
_PROCESSES = Path("/proc")


class Right(IntFlag):
    """Access rights to the files below a path."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15
    RESOLVE_UNIX = 1 << 16


_TCP_SINCE = 4
SIGNALS_SINCE = _SCOPES_SINCE = 6
NAMED_SOCKETS_SINCE = 9
_SINCE = {
    Right.REFER: 2,
    Right.TRUNCATE: 3,
    Right.IOCTL_DEV: 5,
    Right.RESOLVE_UNIX: NAMED_SOCKETS_SINCE,
}
_GAPS = {
    3: "truncating files",
    6: "signals to other processes and their abstract sockets",
}
_FILE_RIGHTS = (Right.EXECUTE | Right.WRITE_FILE | Right.READ_FILE) | (
    Right.TRUNCATE | Right.IOCTL_DEV | Right.RESOLVE_UNIX
)

READ = Right.EXECUTE | Right.READ_FILE | Right.READ_DIR
LIST = Right.READ_DIR
WRITE_FILES = Right.READ_FILE | Right.WRITE_FILE | Right.TRUNCATE
SHARED_MEMORY = WRITE_FILES | Right.MAKE_REG | Right.REMOVE_FILE
SCRATCH = (
    (READ | SHARED_MEMORY | Right.REMOVE_DIR | Right.REFER | Right.RESOLVE_UNIX)
    | (Right.MAKE_DIR | Right.MAKE_SOCK | Right.MAKE_FIFO)
    | Right.MAKE_SYM
)


def abi() -> int:
    """The Landlock ABI version of this kernel; 0 without Landlock."""
    try:
        return system_call(_CREATE_RULESET, None, 0, _GET_VERSION)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Ruleset:
    """Rights by path; once enforced, every access that no rule grants is denied.

    With `tcp`, connecting and listening stay allowed: the network itself is private.

    Raises:
        OSError: the kernel has no Landlock.
    """

    def __init__(self, version: int, *, tcp: bool = False) -> None:
        self.version = version
        self._handled = _known_rights(version)
        attributes = struct.pack("=Q", self._handled)
        if version >= _TCP_SINCE:
            attributes += struct.pack("=Q", 0 if tcp else _BIND_TCP | _CONNECT_TCP)
        if version >= _SCOPES_SINCE:
            attributes += struct.pack("=Q", _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS)
        self._descriptor = system_call(_CREATE_RULESET, address(attributes), len(attributes), 0)
        self.rule_count = 0

    def allow(self, paths: Iterable[Path], rights: Right) -> None:
        """Grant rights below each path that exists and can be opened.

        Raises:
            OSError: the process, or the machine, can open no more files.

        Descriptors of paths in `/proc` stay open, until the process executes another program: a
        rule belongs to an inode, and when memory is short the kernel drops unused inodes there.
        """
        of_directory = int(self._handled & rights)
        of_file = int(of_directory & _FILE_RIGHTS)
        for path in paths:
            try:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:  # a rule must not be missing unnoticed
                    raise
                continue
            try:
                is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
                self._allow(descriptor, of_directory if is_directory else of_file)
            finally:
                if not path.is_relative_to(_PROCESSES):
                    os.close(descriptor)

    def _allow(self, descriptor: int, rights: int) -> None:
        rule = struct.pack("=Qi", rights, descriptor)
        system_call(_ADD_RULE, self._descriptor, _RULE_PATH_BENEATH, address(rule), 0)
        self.rule_count += 1

    def enforce(self) -> None:
        """Apply the rules to this thread and its descendants, irrevocably.

        The process must be single-threaded and have set no_new_privs.

        Raises:
            OSError: the kernel refuses.
        """
        system_call(_RESTRICT_SELF, self._descriptor, 0)
        os.close(self._descriptor)


def _known_rights(version: int) -> Right:
    known = Right(0)
    for right in Right:
        if _SINCE.get(right, 1) <= version:
            known |= right
    return known


def unsupported_rights(version: int) -> str:
    """What a kernel of that version cannot forbid, as the end of a sentence; may be empty."""
    gaps = [description for since, description in _GAPS.items() if version < since]
    return f"; it cannot forbid {', '.join(gaps)}" if gaps else ""
