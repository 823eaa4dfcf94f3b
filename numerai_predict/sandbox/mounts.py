"""Wrappers of mount(2), mount_setattr(2) and pivot_root(2), which Python does not offer.

All are meant for a mount namespace of the calling process's own. Each raises `OSError` if the
kernel refuses.
"""

from __future__ import annotations

import os
import platform
import struct
from enum import IntFlag
from functools import cache

from numerai_predict.sandbox.syscall_numbers import architecture
from numerai_predict.sandbox.syscalls import address, system_call

_NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 2, 4, 8, 1 << 12, 1 << 14, 1 << 18
_READ_ONLY = 1
_DETACH = 2
_FROM_CURRENT_DIRECTORY, _RECURSIVE = -100, 0x8000


class Attribute(IntFlag):
    """Restrictions of a mount (MOUNT_ATTR_*)."""

    READ_ONLY = 1
    NO_SET_USER_ID = 2
    NO_DEVICES = 4


def isolate_mounts() -> None:
    """Keep changes of mounts from reaching other namespaces, and changes of those from this one."""
    _mount("none", "/", "", _REC | _PRIVATE)


def bind(source: str, target: str, *, recursive: bool = True) -> None:
    """Show a file or a directory at `target` too; if `recursive`, with all mounted below it."""
    _mount(source, target, "", _BIND | (_REC if recursive else 0))


def mount_tmpfs(target: str, options: str) -> None:
    """Mount a file system in memory."""
    _mount("tmpfs", target, "tmpfs", _NOSUID | _NODEV, options)


def mount_proc(target: str) -> None:
    """Mount a read-only view of the processes of the caller's PID namespace."""
    _mount("proc", target, "proc", _NOSUID | _NODEV | _NOEXEC | _READ_ONLY)


def restrict(target: str, attributes: Attribute, *, recursive: bool = True) -> None:
    """Add restrictions to a mount and, if `recursive`, to all mounts below it."""
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)
    flags = _RECURSIVE if recursive else 0
    path = os.fsencode(target)
    system_call(
        _number("mount_setattr"),
        _FROM_CURRENT_DIRECTORY,
        address(path),
        flags,
        address(wanted),
        len(wanted),
    )


def unmount(target: str) -> None:
    """Detach what is mounted at `target`."""
    path = os.fsencode(target)
    system_call(_number("umount2"), address(path), _DETACH)


def change_root(new_root: str) -> None:
    """Make the mount `new_root` the root of this mount namespace; the old root is unreachable."""
    os.chdir(new_root)
    current = b"."
    system_call(_number("pivot_root"), address(current), address(current))
    unmount(".")  # the old root, which pivot_root mounted over the new one
    os.chdir("/")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    texts = [os.fsencode(text) for text in (source, target, kind, options)]
    from_, to, file_system, data = map(address, texts)
    system_call(_number("mount"), from_, to, file_system, flags, data)


@cache
def _number(call: str) -> int:
    known = architecture(platform.machine())
    return (known.number(call) if known else None) or -1
