"""The rules of the seccomp filter: it denies the system calls that Landlock does not cover.

It is a deny-list: untested libraries keep working.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from numerai_predict.sandbox.bpf import ArgumentCondition, Comparison, SyscallRule
from numerai_predict.sandbox.landlock import NAMED_SOCKETS_SINCE
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # insert input into a terminal
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY = 8, 10, 15, 1024, 1026
_F_SETPIPE_SZ = 1031
_CLONE_FILES, _CLONE_PARENT, _CLONE_THREAD, _CLOSE_RANGE_UNSHARE = 0x400, 0x8000, 0x10000, 2
# FS_IOC_SETFLAGS, SETVERSION, FSSETXATTR, ENABLE_VERITY, SET_ENCRYPTION_POLICY
_FILE_ATTRIBUTES = (0x40086602, 0x40087602, 0x401C5820, 0x40806685, 0x800C6613)
_PRIO_USER, _IOPRIO_USER = 2, 3
_PR_SCHED_CORE = 62  # which other processes share a core
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
    # A process that is the supervisor's child, and none of the model's.
    SyscallRule("clone", errno.EPERM, ArgumentCondition(0, Comparison.HAS_BITS, _CLONE_PARENT)),
    # A thread with open files of its own: the supervisor counts those of the process.
    SyscallRule(
        "clone",
        errno.EINVAL,
        (
            ArgumentCondition(0, Comparison.HAS_BITS, _CLONE_THREAD),
            ArgumentCondition(0, Comparison.LACKS_BITS, _CLONE_FILES),
        ),
    ),
    SyscallRule(
        "close_range",
        errno.EINVAL,
        ArgumentCondition(2, Comparison.HAS_BITS, _CLOSE_RANGE_UNSHARE),
    ),
    SyscallRule("ioctl", errno.EPERM, ArgumentCondition(1, Comparison.EQUALS, _TIOCSTI)),
    SyscallRule("ioctl", errno.EPERM, ArgumentCondition(1, Comparison.EQUALS, _TIOCLINUX)),
    # Libraries fall back from each of these to an older call. The flags of clone3 are in memory,
    # which a filter cannot read; memory of the others belongs to no process, and would escape the
    # memory limit. System V and POSIX queues are those of other programs too, and the machine has
    # a fixed number of contexts for asynchronous input and output.
    SyscallRule(
        "clone3 io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret "
        "shmget shmat shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl "
        "mq_open mq_unlink vmsplice io_setup",
        errno.ENOSYS,
    ),
    # They would tell the names of files that the model may not list.
    SyscallRule("inotify_init inotify_init1 inotify_add_watch", errno.ENOSYS),
    # Signals that no process id in an argument announces: through a directory of /proc, or sent
    # by the kernel to the owner of a descriptor. Leases delay other programs. Pipes keep their
    # default size, which the supervisor counts.
    SyscallRule("pidfd_send_signal", errno.ENOSYS),
    *(
        SyscallRule("fcntl", errno.EPERM, ArgumentCondition(1, Comparison.EQUALS, command))
        for command in (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY, _F_SETPIPE_SZ)
    ),
    *(
        SyscallRule("ioctl", errno.EPERM, ArgumentCondition(1, Comparison.EQUALS, command))
        for command in (_FIOSETOWN, _SIOCSPGRP)
    ),
    # Attributes of a file, which its owner may change through a descriptor to read from.
    SyscallRule("file_setattr", errno.ENOSYS),
    *(
        SyscallRule("ioctl", errno.ENOTTY, ArgumentCondition(1, Comparison.EQUALS, command))
        for command in _FILE_ATTRIBUTES
    ),
    # All processes of the user.
    SyscallRule("setpriority", errno.EPERM, ArgumentCondition(0, Comparison.EQUALS, _PRIO_USER)),
    SyscallRule("ioprio_set", errno.EPERM, ArgumentCondition(0, Comparison.EQUALS, _IOPRIO_USER)),
    SyscallRule("prctl", errno.EINVAL, ArgumentCondition(0, Comparison.EQUALS, _PR_SCHED_CORE)),
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
# session bus and the agents of the user would run commands for it. Nor may it take an abstract
# name, to which other programs would connect.
_NO_NAMED_SOCKETS = (
    SyscallRule("connect bind", errno.EACCES),
    SyscallRule(
        "socket socketpair", errno.EACCES, ArgumentCondition(1, Comparison.HAS_BITS, _SOCK_DGRAM)
    ),
)

_EVERY_PROCESS = 0xFFFFFFFF

# The calls that name a process to act on, and which of their arguments is its id. `kill` takes
# groups too, as negative ids. The kernel lets them reach every process of the same user.
SIGNALS = {
    "kill": 0,
    "tkill": 0,
    "tgkill": 0,
    "rt_sigqueueinfo": 0,
    "rt_tgsigqueueinfo": 0,
    "pidfd_open": 0,
}
SCHEDULING = {
    "sched_setaffinity": 0,
    "sched_setattr": 0,
    "sched_setparam": 0,
    "sched_setscheduler": 0,
    "setpriority": 1,
    "ioprio_set": 1,
}


def rules(
    supervisor: int | None,
    *,
    same_user: bool,
    landlock_version: int,
    own: int,
    higher: tuple[range, ...] = (),
    private_network: bool = False,
    pinned: bool = False,
) -> tuple[SyscallRule, ...]:
    """The rules for a model process with the id `own`, whose supervisor has the id `supervisor`.

    `supervisor` is `None` if the process can name no processes but the model's. `higher`: the ids
    above `own` of processes that exist already. `same_user`: the model runs as the supervisor's
    user. `private_network`: no socket that the process can name is another program's (see
    `namespaces.NamespaceLayers`). `pinned`: it must stay on its processors.
    """
    others = () if supervisor is None else _other_processes(supervisor, own, higher)
    pin = (SyscallRule("sched_setaffinity", _PRETEND_SUCCESS),) if pinned else ()
    no_broadcast = SyscallRule(
        "kill", errno.EPERM, ArgumentCondition(0, Comparison.EQUALS, _EVERY_PROCESS)
    )
    metadata = _FIXED_METADATA if same_user else ()
    sockets: tuple[SyscallRule, ...] = _LOOPBACK_ONLY if private_network else _NO_NETWORK
    if not private_network and landlock_version < NAMED_SOCKETS_SINCE:
        sockets += _NO_NAMED_SOCKETS
    return (*_RULES, *pin, *others, no_broadcast, *metadata, *sockets)


def _other_processes(supervisor: int, own: int, higher: tuple[range, ...]) -> Iterator[SyscallRule]:
    """Protect processes of others from the process `own` and from those that it starts.

    Signals: processes and threads that exist already get none. Those that start later, on behalf
    of others, cannot be distinguished from its own. Scheduling: changes of all but the caller and
    `own` are ignored and report success.
    """
    # Ids start again from the lowest: older processes may have higher ones.
    for ids in (range(1, own), range(supervisor, supervisor + 1), *higher):
        for call, argument in SIGNALS.items():
            yield SyscallRule(call, errno.EPERM, _between(argument, ids[0], ids[-1]))
        groups = _between(0, _EVERY_PROCESS + 1 - ids[-1], _EVERY_PROCESS + 1 - ids[0])
        yield SyscallRule("kill", errno.EPERM, groups)
    for call, argument in SCHEDULING.items():
        yield SyscallRule(call, _PRETEND_SUCCESS, _none_of(argument, 0, own))


def _between(argument: int, first: int, last: int) -> tuple[ArgumentCondition, ...]:
    """The conditions for an argument of at least `first` and at most `last`."""
    at_least = ArgumentCondition(argument, Comparison.AT_LEAST, first)
    if last == _EVERY_PROCESS:  # the highest of 32 bits
        return (at_least,)
    return (at_least, ArgumentCondition(argument, Comparison.LESS, last + 1))
