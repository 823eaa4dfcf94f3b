"""A filter of system calls against what Landlock does not cover.

It is a classic BPF program that the kernel runs before every call (seccomp(2),
linux/seccomp.h, linux/filter.h). It denies what is named here and allows the rest,
so that libraries nobody thought of go on working.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from numerai_predict.sandbox.landlock import NAMED_SOCKETS_SINCE
from numerai_predict.sandbox.syscall_numbers import Processor
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, address, system_call

_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _MARK_AT, _ARGUMENTS_AT = 0, 4, 16

_LOAD, _RETURN = 0x20, 0x06
_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x35, 0x45

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # type into the terminal
_PRETEND = 0
_AF_UNIX, _SOCK_DGRAM = 1, 2


class Comparison(Enum):
    """How an argument's low 32 bits are compared."""

    EQUALS = "equals"
    DIFFERS = "differs"
    HAS_BITS = "has bits"


@dataclass(frozen=True)
class ArgumentCondition:
    """A condition on one argument of a call."""

    argument: int
    test: Comparison
    value: int


@dataclass(frozen=True)
class SyscallRule:
    """Calls that fail with an error number, always or on a condition; 0 pretends success."""

    calls: str
    answer: int
    when: ArgumentCondition | None = None


_RULES = (
    # No network. Libraries take this error for a machine without that protocol.
    SyscallRule("socket", errno.EAFNOSUPPORT, ArgumentCondition(0, Comparison.DIFFERS, _AF_UNIX)),
    # Other processes.
    SyscallRule(
        "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp "
        "pidfd_getfd migrate_pages move_pages",
        errno.EPERM,
    ),
    SyscallRule("prlimit64", errno.EPERM, ArgumentCondition(0, Comparison.DIFFERS, 0)),
    # The kernel's own doors: keys, programs in the kernel, new name spaces and mounts, clocks.
    SyscallRule("add_key request_key keyctl bpf perf_event_open userfaultfd", errno.EPERM),
    SyscallRule(
        "mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig "
        "fsmount fspick mount_setattr unshare setns name_to_handle_at open_by_handle_at "
        "lookup_dcookie fanotify_init quotactl quotactl_fd swapon swapoff",
        errno.EPERM,
    ),
    SyscallRule(
        "init_module finit_module delete_module kexec_load kexec_file_load reboot acct syslog "
        "vhangup iopl ioperm modify_ldt sethostname setdomainname settimeofday clock_settime "
        "adjtimex clock_adjtime",
        errno.EPERM,
    ),
    SyscallRule("clone", errno.EPERM, ArgumentCondition(0, Comparison.HAS_BITS, _NEW_NAMESPACES)),
    SyscallRule("ioctl", errno.EPERM, ArgumentCondition(1, Comparison.EQUALS, _TIOCSTI)),
    SyscallRule("ioctl", errno.EPERM, ArgumentCondition(1, Comparison.EQUALS, _TIOCLINUX)),
    # Each of these has an older or plainer way that libraries fall back to. The flags of
    # clone3 lie in memory, where a filter cannot see them; memory of the others belongs to no
    # process and could not be counted.
    SyscallRule(
        "clone3 io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret "
        "shmget semget msgget mq_open",
        errno.ENOSYS,
    ),
    # The process dies with its parent, whatever it asks for.
    SyscallRule("prctl", _PRETEND, ArgumentCondition(0, Comparison.EQUALS, PR_SET_PDEATHSIG)),
)

# Landlock does not know of owners, modes and times. Where the model has the user of the
# one who runs it, changes of them are taken and not made: copying a file must go on working.
_FIXED_METADATA = (
    SyscallRule(
        "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat "
        "futimesat",
        _PRETEND,
    ),
    SyscallRule(
        "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr "
        "removexattrat",
        errno.ENOTSUP,
    ),
)

# Before Landlock holds sockets in the file system, nobody but the model's own processes may
# be talked to: of the same user's, the session's bus and agents would do anything for it.
_NO_NAMED_SOCKETS = (
    SyscallRule("connect", errno.EACCES),
    SyscallRule(
        "socket socketpair", errno.EACCES, ArgumentCondition(1, Comparison.HAS_BITS, _SOCK_DGRAM)
    ),
)

_BY_PROCESS_ID = {
    0: "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open "
    "sched_setaffinity sched_setattr sched_setparam sched_setscheduler",
    1: "ioprio_set setpriority",
}
_EVERY_PROCESS = 0xFFFFFFFF


def rules(parent: int, *, same_user: bool, landlock_version: int) -> tuple[SyscallRule, ...]:
    """What is denied to a model whose parent has that process id.

    `same_user` says that the model has the user of the one who runs it.
    """
    spared = (
        SyscallRule(calls, errno.EPERM, ArgumentCondition(argument, Comparison.EQUALS, parent))
        for argument, calls in _BY_PROCESS_ID.items()
    )
    every = SyscallRule(
        "kill", errno.EPERM, ArgumentCondition(0, Comparison.EQUALS, _EVERY_PROCESS)
    )
    metadata = _FIXED_METADATA if same_user else ()
    sockets = _NO_NAMED_SOCKETS if landlock_version < NAMED_SOCKETS_SINCE else ()
    return (*_RULES, *spared, every, *metadata, *sockets)


def program(rules: Iterable[SyscallRule], processor: Processor) -> bytes:
    """The filter as the kernel takes it: 8 bytes an instruction."""
    return b"".join(
        struct.pack("=HBBI", code, if_true, if_false, value)
        for code, if_true, if_false, value in _instructions(rules, processor)
    )


def enforce(program: bytes, processor: Processor) -> None:
    """Hold every thread of this process, and all that it starts, to the filter, for ever.

    The process must not be able to gain privileges.

    Raises:
        OSError: the kernel refuses, or has no seccomp filters.
    """
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    number = processor.number("seccomp")
    system_call(number or -1, _SET_MODE_FILTER, _ALL_THREADS, address(head))


_Instruction = tuple[int, int, int, int]


def _instructions(rules: Iterable[SyscallRule], processor: Processor) -> Iterator[_Instruction]:
    yield _LOAD, 0, 0, _MARK_AT
    yield _IF_EQUAL, 1, 0, processor.audit_mark
    yield _RETURN, 0, 0, _ERRNO | errno.ENOSYS  # another processor's calls
    yield _LOAD, 0, 0, _NUMBER_AT
    if processor.foreign_from is not None:
        yield _IF_AT_LEAST, 0, 1, processor.foreign_from
        yield _RETURN, 0, 0, _ERRNO | errno.ENOSYS
    for rule in rules:
        for call in rule.calls.split():
            number = processor.number(call)
            if number is not None:
                yield from _denial(number, rule)
    yield _RETURN, 0, 0, _ALLOW


def _denial(number: int, rule: SyscallRule) -> Iterator[_Instruction]:
    if rule.when is None:
        yield _IF_EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _ERRNO | rule.answer
        return
    yield _IF_EQUAL, 0, 4, number
    yield _LOAD, 0, 0, _ARGUMENTS_AT + 8 * rule.when.argument
    yield _comparison(rule.when)
    yield _RETURN, 0, 0, _ERRNO | rule.answer
    yield _LOAD, 0, 0, _NUMBER_AT


def _comparison(when: ArgumentCondition) -> _Instruction:
    """Go to the next instruction where the condition holds, else skip it."""
    if when.test is Comparison.DIFFERS:
        return _IF_EQUAL, 1, 0, when.value
    code = _IF_EQUAL if when.test is Comparison.EQUALS else _IF_ANY_BIT
    return code, 0, 1, when.value
