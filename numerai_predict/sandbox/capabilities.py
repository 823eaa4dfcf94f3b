"""Drops the privileges of root: switches the user, drops capabilities, sets no_new_privs."""

from __future__ import annotations

import os
import struct

from numerai_predict.sandbox.process_status import process_status
from numerai_predict.sandbox.syscall_numbers import Architecture
from numerai_predict.sandbox.syscalls import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    address,
    prctl,
    system_call,
)

CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, KILL, SETGID, SETUID = 0, 1, 2, 5, 6, 7

_VERSION_3 = 0x20080522


def effective() -> int:
    """The effective capabilities of this process, as a bit mask."""
    return _capabilities("CapEff")


def switch_user(user: int, group: int) -> None:
    """Switch to the user and group for good, and keep all capabilities until they are dropped.

    Raises:
        OSError: the process lacks CAP_SETUID or CAP_SETGID.
    """
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    # The kernel makes the process undumpable: the supervisor could not read its /proc files.
    prctl(PR_SET_DUMPABLE, 1)


def drop_capabilities(architecture: Architecture, keep: frozenset[int] = frozenset()) -> None:
    """Drop every capability except `keep`, also for processes that this one starts.

    Raises:
        OSError: the kernel refuses.
    """
    kept = sum(1 << capability for capability in keep)
    if kept:  # without a process in its own /proc there is nothing to read, and nothing to keep
        kept &= _capabilities("CapPrm")
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    head = struct.pack("=Ii", _VERSION_3, 0)
    halves = (kept & 0xFFFFFFFF, kept >> 32)
    data = b"".join(struct.pack("=III", half, half, half) for half in halves)
    system_call(architecture.number("capset") or -1, address(head), address(data))
    for capability in keep:
        if kept >> capability & 1:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def set_no_new_privs() -> None:
    """Set no_new_privs: set-user-ID files and file capabilities no longer raise privileges.

    Raises:
        OSError: the kernel refuses.
    """
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def _capabilities(kind: str) -> int:
    return int(process_status().get(kind, "0"), 16)
