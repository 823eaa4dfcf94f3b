"""The two tables of attempts, and what the attempts share."""

import ctypes
import errno
import os
import socket

REACHES = {}
ENDS = {}

# Errors of an attempt without a network; any other error proves that a network was reached.
NO_SOCKET = {errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM, errno.ENETUNREACH}


def reaches(name):
    def register(attempt):
        REACHES[name] = attempt
        return attempt

    return register


def ends(name, *verdicts, options=()):
    def register(model):
        ENDS[name] = (model, verdicts, options)
        return model

    return register


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def call(number, *arguments):
    """Make a system call by its number, as the C library does."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(
        ctypes.c_long(number),
        *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments),
    )
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def numbers(name):
    table = {
        "ptrace": (101, 117),
        "process_vm_readv": (310, 270),
        "keyctl": (250, 219),
        "bpf": (321, 280),
        "perf_event_open": (298, 241),
        "userfaultfd": (323, 282),
        "io_uring_setup": (425, 425),
        "unshare": (272, 97),
        "clone3": (435, 435),
        "mount": (165, 40),
        "setns": (308, 268),
        "chroot": (161, 51),
        "memfd_create": (319, 279),
        "shmget": (29, 194),
        "name_to_handle_at": (303, 264),
        "pidfd_open": (434, 434),
        "pidfd_getfd": (438, 438),
        "setpriority": (141, 140),
        "ioprio_set": (251, 30),
        "ioprio_get": (252, 31),
        "sched_setattr": (314, 274),
        "tkill": (200, 130),
        "tgkill": (234, 131),
        "rt_sigqueueinfo": (129, 138),
        "pidfd_send_signal": (424, 424),
        "prlimit64": (302, 261),
        "shmat": (30, 196),
        "shmctl": (31, 195),
        "semctl": (66, 191),
        "msgctl": (71, 187),
        "msgsnd": (69, 189),
        "mq_unlink": (241, 181),
        "io_setup": (206, 0),
        "file_getattr": (468, 468),
        "file_setattr": (469, 469),
        "close_range": (436, 436),
    }
    return table[name][os.uname().machine == "aarch64"]


def runner():
    """The process id of the runner.

    Raises:
        ProcessLookupError: it is outside the PID namespace, where no id names it.
    """
    if not os.getppid():
        raise ProcessLookupError("the runner has no process id in this namespace")
    return os.getppid()


def unless_no_socket(attempt, *, served=False):
    """Run the attempt; an error that only a network can cause counts as reaching it.

    Where a server of the stage listens (`served`), a refusal shows that it was another network.
    """
    try:
        return attempt()
    except OSError as error:
        refused = served and error.errno == errno.ECONNREFUSED
        if refused or error.errno in NO_SOCKET or isinstance(error, socket.gaierror):
            raise
        return f"a network, which answered: {error}"
