"""The seccomp filter: denies the system calls that Landlock does not cover.

It is a classic BPF program that the kernel runs before every system call (seccomp(2),
linux/seccomp.h, linux/filter.h). It is a deny-list: untested libraries keep working.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from numerai_predict.sandbox.landlock import NAMED_SOCKETS_SINCE
from numerai_predict.sandbox.syscall_numbers import Architecture
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, address, system_call

_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_OFFSET, _ARCH_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16  # struct seccomp_data

_LOAD, _RETURN = 0x20, 0x06
_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x35, 0x45

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # insert input into a terminal
_PRETEND_SUCCESS = 0
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCK_DGRAM = 2
_TCP, _UDP, _NETLINK_ROUTE = 6, 17, 0


class Comparison(Enum):
    """How the low 32 bits of an argument are compared."""

    EQUALS = "equals"
    DIFFERS = "differs"
    HAS_BITS = "has bits"


@dataclass(frozen=True)
class ArgumentCondition:
    """A condition on one argument of a system call, by its index."""

    argument: int
    comparison: Comparison
    value: int


@dataclass(frozen=True)
class SyscallRule:
    """System calls that fail with `error`, always or under a condition.

    `calls` are names separated by spaces. An `error` of 0 skips the call and reports success.
    """

    calls: str
    error: int
    when: ArgumentCondition | tuple[ArgumentCondition, ...] | None = None

    @property
    def conditions(self) -> tuple[ArgumentCondition, ...]:
        """The conditions that must all hold."""
        if isinstance(self.when, ArgumentCondition):
            return (self.when,)
        return self.when or ()


def _none_of(argument: int, *values: int) -> tuple[ArgumentCondition, ...]:
    return tuple(ArgumentCondition(argument, Comparison.DIFFERS, value) for value in values)


# To libraries this error means that the machine lacks the protocol.
_NO_NETWORK = (SyscallRule("socket", errno.EAFNOSUPPORT, _none_of(0, _AF_UNIX)),)

# In a network namespace with nothing but loopback: TCP, UDP and Unix sockets, and of netlink what
# lists the interfaces. Other protocols would load modules of the kernel.
_LOOPBACK_ONLY = (
    SyscallRule(
        "socket", errno.EAFNOSUPPORT, _none_of(0, _AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK)
    ),
    SyscallRule("socket", errno.EPROTONOSUPPORT, _none_of(2, 0, _TCP, _UDP)),
    SyscallRule(
        "socket",
        errno.EPROTONOSUPPORT,
        (ArgumentCondition(0, Comparison.EQUALS, _AF_NETLINK), *_none_of(2, _NETLINK_ROUTE)),
    ),
)

_RULES = (
    # Other processes.
    SyscallRule(
        "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp "
        "pidfd_getfd migrate_pages move_pages",
        errno.EPERM,
    ),
    SyscallRule("prlimit64", errno.EPERM, ArgumentCondition(0, Comparison.DIFFERS, 0)),
    # Kernel interfaces: keys, BPF programs, namespaces and mounts, modules, clocks.
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
    # Libraries fall back from each of these to an older call. The flags of clone3 are in memory,
    # which a filter cannot read; memory of the others belongs to no process, and would escape the
    # memory limit.
    SyscallRule(
        "clone3 io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret "
        "shmget semget msgget mq_open",
        errno.ENOSYS,
    ),
    # The model process ends with its supervisor: it cannot change that.
    SyscallRule(
        "prctl", _PRETEND_SUCCESS, ArgumentCondition(0, Comparison.EQUALS, PR_SET_PDEATHSIG)
    ),
)

# Landlock does not restrict owners, modes and times. If the model runs as the supervisor's user,
# changes of them are ignored and report success: copying a file must keep working.
_FIXED_METADATA = (
    SyscallRule(
        "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat "
        "futimesat",
        _PRETEND_SUCCESS,
    ),
    SyscallRule(
        "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr "
        "removexattrat",
        errno.ENOTSUP,
    ),
)

# Older Landlock versions do not restrict Unix sockets. The model may then connect to none: the
# session bus and the agents of the user would run commands for it.
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


def rules(
    supervisor: int | None,
    *,
    same_user: bool,
    landlock_version: int,
    private_network: bool = False,
) -> tuple[SyscallRule, ...]:
    """The rules for a model process whose supervisor has the process id `supervisor`.

    `supervisor` is `None` if the process cannot see it. `same_user`: the model runs as the
    supervisor's user. `private_network`: no socket that the process can name is another
    program's (see `namespaces.NamespaceLayers`).
    """
    protect_supervisor = (
        SyscallRule(calls, errno.EPERM, ArgumentCondition(argument, Comparison.EQUALS, supervisor))
        for argument, calls in _BY_PROCESS_ID.items()
        if supervisor is not None
    )
    no_broadcast = SyscallRule(
        "kill", errno.EPERM, ArgumentCondition(0, Comparison.EQUALS, _EVERY_PROCESS)
    )
    metadata = _FIXED_METADATA if same_user else ()
    sockets: tuple[SyscallRule, ...] = _LOOPBACK_ONLY if private_network else _NO_NETWORK
    if not private_network and landlock_version < NAMED_SOCKETS_SINCE:
        sockets += _NO_NAMED_SOCKETS
    return (*_RULES, *protect_supervisor, no_broadcast, *metadata, *sockets)


def program(rules: Iterable[SyscallRule], architecture: Architecture) -> bytes:
    """The filter as an array of `struct sock_filter`, 8 bytes per instruction."""
    return b"".join(
        struct.pack("=HBBI", code, if_true, if_false, value)
        for code, if_true, if_false, value in _instructions(rules, architecture)
    )


def enforce(program: bytes, architecture: Architecture) -> None:
    """Apply the filter to every thread of this process and its descendants, irrevocably.

    The process must have set no_new_privs.

    Raises:
        OSError: the kernel refuses, or has no seccomp filters.
    """
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    number = architecture.number("seccomp")
    system_call(number or -1, _SET_MODE_FILTER, _ALL_THREADS, address(head))


_Instruction = tuple[int, int, int, int]


def _instructions(
    rules: Iterable[SyscallRule], architecture: Architecture
) -> Iterator[_Instruction]:
    yield _LOAD, 0, 0, _ARCH_OFFSET
    yield _IF_EQUAL, 1, 0, architecture.audit_arch
    yield _RETURN, 0, 0, _ERRNO | errno.ENOSYS  # calls of another architecture
    yield _LOAD, 0, 0, _NUMBER_OFFSET
    if architecture.foreign_from is not None:
        yield _IF_AT_LEAST, 0, 1, architecture.foreign_from
        yield _RETURN, 0, 0, _ERRNO | errno.ENOSYS
    for rule in rules:
        for call in rule.calls.split():
            number = architecture.number(call)
            if number is not None:
                yield from _denial(number, rule)
    yield _RETURN, 0, 0, _ALLOW


def _denial(number: int, rule: SyscallRule) -> Iterator[_Instruction]:
    conditions = rule.conditions
    if not conditions:
        yield _IF_EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _ERRNO | rule.error
        return
    yield _IF_EQUAL, 0, 2 * len(conditions) + 2, number
    for position, condition in enumerate(conditions, 1):
        yield _LOAD, 0, 0, _ARGUMENTS_OFFSET + 8 * condition.argument
        yield _comparison(condition, 2 * (len(conditions) - position) + 1)
    yield _RETURN, 0, 0, _ERRNO | rule.error
    yield _LOAD, 0, 0, _NUMBER_OFFSET


def _comparison(when: ArgumentCondition, otherwise: int) -> _Instruction:
    """Continue with the next instruction if the condition holds, else skip `otherwise` more."""
    if when.comparison is Comparison.DIFFERS:
        return _IF_EQUAL, otherwise, 0, when.value
    code = _IF_EQUAL if when.comparison is Comparison.EQUALS else _IF_ANY_BIT
    return code, 0, otherwise, when.value
