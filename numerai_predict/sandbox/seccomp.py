"""The rules of the seccomp filter: it denies the system calls that Landlock does not cover.

It is a deny-list: untested libraries keep working.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

from numerai_predict.sandbox import bpf
from numerai_predict.sandbox.bpf import ArgumentCondition, Comparison, SyscallRule
from numerai_predict.sandbox.landlock import NAMED_SOCKETS_SINCE
from numerai_predict.sandbox.process_targets import (
    SCHEDULING,
    SIGNALS,
    TARGETS,
    USER_OF,
    kernel_asks,
)
from numerai_predict.sandbox.syscall_numbers import Architecture
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # insert input into a terminal
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY = 8, 10, 15, 1024, 1026
_SOL_SOCKET = 1
_BUFFER_SIZES = (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, and their forms for root
_PRETEND_SUCCESS = 0
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCK_DGRAM = 2
_TCP, _UDP, _NETLINK_ROUTE = 6, 17, 0


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
        "lookup_dcookie fanotify_init fanotify_mark quotactl quotactl_fd swapon swapoff",
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
        "shmget semget msgget mq_open vmsplice",
        errno.ENOSYS,
    ),
    # They would tell the names of files that the model may not list.
    SyscallRule("inotify_init inotify_init1 inotify_add_watch", errno.ENOSYS),
    # Signals that no process id in an argument announces: through a directory of /proc, or sent
    # by the kernel to the owner of a descriptor. Leases delay other programs.
    SyscallRule("pidfd_send_signal", errno.ENOSYS),
    *(
        SyscallRule("fcntl", errno.EPERM, ArgumentCondition(1, Comparison.EQUALS, command))
        for command in (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY)
    ),
    *(
        SyscallRule("ioctl", errno.EPERM, ArgumentCondition(1, Comparison.EQUALS, command))
        for command in (_FIOSETOWN, _SIOCSPGRP)
    ),
    # All processes of the user.
    *(
        SyscallRule(call, errno.EPERM, ArgumentCondition(0, Comparison.EQUALS, which))
        for call, which in USER_OF.items()
    ),
    # Buffers of sockets are memory of the kernel: they keep their default size.
    *(
        SyscallRule(
            "setsockopt",
            _PRETEND_SUCCESS,
            (
                ArgumentCondition(1, Comparison.EQUALS, _SOL_SOCKET),
                ArgumentCondition(2, Comparison.EQUALS, option),
            ),
        )
        for option in _BUFFER_SIZES
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

_EVERY_PROCESS = 0xFFFFFFFF


def rules(
    supervisor: int | None,
    *,
    same_user: bool,
    landlock_version: int,
    private_network: bool = False,
    own: int | None = None,
    pinned: bool = False,
) -> tuple[SyscallRule, ...]:
    """The rules for a model process whose supervisor has the process id `supervisor`.

    `supervisor` is `None` if the process cannot see it. `same_user`: the model runs as the
    supervisor's user. `private_network`: no socket that the process can name is another
    program's (see `namespaces.NamespaceLayers`). `own` is the process's own id if its user's
    other processes are protected by these rules alone, `pinned` whether it must stay on its
    processors.
    """
    protect_supervisor = (
        SyscallRule(call, errno.EPERM, ArgumentCondition(argument, Comparison.EQUALS, supervisor))
        for call, argument in TARGETS.items()
        if supervisor is not None
    )
    pin = (SyscallRule("sched_setaffinity", _PRETEND_SUCCESS),) if pinned else ()
    others = () if own is None else _other_processes(own)
    no_broadcast = SyscallRule(
        "kill", errno.EPERM, ArgumentCondition(0, Comparison.EQUALS, _EVERY_PROCESS)
    )
    metadata = _FIXED_METADATA if same_user else ()
    sockets: tuple[SyscallRule, ...] = _LOOPBACK_ONLY if private_network else _NO_NETWORK
    if not private_network and landlock_version < NAMED_SOCKETS_SINCE:
        sockets += _NO_NAMED_SOCKETS
    return (*_RULES, *protect_supervisor, *pin, *others, no_broadcast, *metadata, *sockets)


def _other_processes(own: int) -> Iterator[SyscallRule]:
    """Protect the processes that are older than the process with the id `own`.

    Its own processes are younger, and so are some of others, which only the supervisor can
    distinguish from them. Scheduling is for the caller and for `own` alone.
    """
    named = Comparison.DIFFERS
    for call, argument in SIGNALS.items():
        older = ArgumentCondition(argument, Comparison.LESS, own)
        yield SyscallRule(call, errno.EPERM, (ArgumentCondition(argument, named, 0), older))
    older_group = ArgumentCondition(0, Comparison.AT_LEAST, _EVERY_PROCESS - own + 2)
    yield SyscallRule("kill", errno.EPERM, older_group)
    for call, argument in SCHEDULING.items():
        conditions = [ArgumentCondition(argument, named, who) for who in (0, own)]
        yield SyscallRule(call, errno.EPERM, tuple(conditions))


def questions(own: int) -> tuple[SyscallRule, ...]:
    """The calls that name a process, about which the kernel asks the supervisor.

    The caller itself (0) and the process with the id `own` need no question.
    """
    return tuple(
        SyscallRule(
            call,
            0,
            tuple(ArgumentCondition(argument, Comparison.DIFFERS, who) for who in (0, own)),
        )
        for call, argument in TARGETS.items()
    )


def ask_supervisor(kind: Architecture, send_listener: Callable[[int], None]) -> bool:
    """Have the kernel ask the supervisor about calls that name a process, if the kernel can.

    `send_listener` gives the supervisor the listener with this descriptor.
    """
    if not kernel_asks():
        return False
    program = bpf.question_program(questions(os.getpid()), kind)
    try:
        listener = bpf.enforce_question(program, kind)
    except OSError:  # the container has a listener of its own, or an emulated kernel none at all
        return False
    try:
        send_listener(listener)
    finally:
        os.close(listener)
    return True
