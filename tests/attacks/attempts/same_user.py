"""Attempts on processes of the same user: the runner, its threads, and others.

A model that runs as another user is stopped by the kernel. One that runs as the runner's user is
stopped by the layers alone.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time

from attempts.registry import call, ends, numbers, ranks, reaches


def _reached(facts, attempt):
    """The processes that an attempt reached: it had no error, and what it returns is not False."""
    reached = []
    for pid in (os.getppid(), *facts["others"]):
        # 0 is outside of its namespace; 1 is the sandbox's own in it, as the stage has a high id.
        if pid in (0, 1):
            continue
        with contextlib.suppress(OSError):
            if attempt(pid) is not False:
                reached.append(pid)
    return reached


def _changes(read, write):
    """An attempt that writes a setting of a process, and returns whether it has changed."""

    def attempt(pid):
        before = read(pid)
        with contextlib.suppress(OSError):  # of a group, some may have changed anyway
            write(pid, before)
        return read(pid) != before

    return attempt


@reaches("signal other processes of its user by kill")
def _(facts):
    return _reached(facts, lambda pid: os.kill(pid, 0))


@reaches("signal processes of its user that are younger than the model")
def _(facts):
    time.sleep(1.5)  # the stage starts some every half second
    own = {int(name) for name in os.listdir("/proc/self/task")}
    younger = range(max(own) + 1, max(own) + 300)
    return _reached({"others": younger}, lambda pid: os.kill(pid, 0))


@reaches("signal other processes of its user by a thread's id")
def _(facts):
    reached = _reached(facts, lambda pid: call(numbers("tkill"), pid, 0))
    return reached + _reached(facts, lambda pid: call(numbers("tgkill"), pid, pid, 0))


@reaches("signal other processes of its user with a value")
def _(facts):
    info = struct.pack("=iii4x", signal.SIGUSR1, 0, -1).ljust(128, b"\0")
    return _reached(facts, lambda pid: call(numbers("rt_sigqueueinfo"), pid, 0, info))


@reaches("signal the groups of other processes of its user")
def _(facts):
    return _reached(facts, lambda pid: os.killpg(os.getpgid(pid), 0))


@reaches("signal other processes of its user by a descriptor of one")
def _(facts):
    def attempt(pid):
        handle = call(numbers("pidfd_open"), pid, 0)
        call(numbers("pidfd_send_signal"), handle, 0, 0, 0)

    return _reached(facts, attempt)


@reaches("signal other processes of its user by their directories in /proc")
def _(facts):
    def attempt(pid):
        handle = os.open(f"/proc/{pid}", os.O_DIRECTORY)
        call(numbers("pidfd_send_signal"), handle, 0, 0, 0)

    return _reached(facts, attempt)


@reaches("have the kernel signal other processes when a descriptor is ready")
def _(facts):
    ours, _ = socket.socketpair()

    def attempt(pid):
        fcntl.fcntl(ours, fcntl.F_SETOWN, pid)
        return fcntl.fcntl(ours, fcntl.F_SETSIG, signal.SIGKILL)

    return _reached(facts, attempt)


@reaches("have the kernel signal other processes by an ioctl of a socket")
def _(facts):
    ours, _ = socket.socketpair()
    return _reached(facts, lambda pid: fcntl.ioctl(ours, 0x8901, struct.pack("i", pid)))


@reaches("lower the priority of other processes of its user")
def _(facts):
    def write(pid, before):
        os.setpriority(os.PRIO_PROCESS, pid, before + 1)

    return _reached(facts, _changes(lambda pid: os.getpriority(os.PRIO_PROCESS, pid), write))


@reaches("lower the priority of the groups of other processes of its user")
def _(facts):
    def write(pid, before):
        os.setpriority(os.PRIO_PGRP, os.getpgid(pid), 19)

    return _reached(facts, _changes(lambda pid: os.getpriority(os.PRIO_PROCESS, pid), write))


@reaches("lower the priority of all processes of its user")
def _(facts):
    os.setpriority(os.PRIO_USER, 0, 19)
    return "they come last"


@reaches("let other processes of its user read files last")
def _(facts):
    def write(pid, before):
        lowest = 2 << 13 | 7  # IOPRIO_CLASS_BE
        call(numbers("ioprio_set"), 1, pid, lowest if before != lowest else lowest - 1)

    return _reached(facts, _changes(lambda pid: call(numbers("ioprio_get"), 1, pid), write))


@reaches("let all processes of its user read files last")
def _(facts):
    call(numbers("ioprio_set"), 3, os.getuid(), 3 << 13)
    return "they come last"


def _other_scheduler(before):
    return os.SCHED_OTHER if before == os.SCHED_BATCH else os.SCHED_BATCH


@reaches("change how other processes of its user are scheduled")
def _(facts):
    def write(pid, before):
        os.sched_setscheduler(pid, _other_scheduler(before), os.sched_param(0))

    return _reached(facts, _changes(os.sched_getscheduler, write))


@reaches("change how other processes of its user are scheduled by a structure")
def _(facts):
    def write(pid, before):
        nice = os.getpriority(os.PRIO_PROCESS, pid)
        attributes = struct.pack("=IIQiIQQQ", 48, _other_scheduler(before), 0, nice, 0, 0, 0, 0)
        call(numbers("sched_setattr"), pid, attributes, 0)

    return _reached(facts, _changes(os.sched_getscheduler, write))


@reaches("pin other processes of its user to a processor")
def _(facts):
    def write(pid, before):
        os.sched_setaffinity(pid, {min(before)} if len(before) > 1 else range(os.cpu_count()))

    return _reached(facts, _changes(os.sched_getaffinity, write))


@reaches("watch a directory that it may not list")
def _(facts):
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK)
    watch = libc.inotify_add_watch(handle, facts["output"].encode(), 0x100)
    return "the names of new files" if handle >= 0 and watch >= 0 else None


@reaches("raise the buffer of a socket")
def _(facts):
    ours, _ = socket.socketpair()
    before = ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    for option in (socket.SO_SNDBUF, 32):
        ours.setsockopt(socket.SOL_SOCKET, option, before - 50_000)
        if ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) != before:
            return "kernel memory"
    return None


@ends("end its own processes, which it may", "ok")
def _(live_features):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    child.terminate()
    assert child.wait(60) == -signal.SIGTERM
    group = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    time.sleep(0.2)
    os.killpg(group.pid, signal.SIGKILL)
    assert group.wait(60) == -signal.SIGKILL
    os.setpriority(os.PRIO_PROCESS, os.getpid(), os.getpriority(os.PRIO_PROCESS, 0) + 1)
    return ranks(live_features)


@ends("leave shared memory for the next model of its user", "ok")
def _(live_features):
    for name in (f"left-{os.getpid()}/deeper", f"left-{os.getpid()}-file"):
        path = f"/dev/shm/{name}"
        with contextlib.suppress(PermissionError):  # no directories, where Landlock has a say
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write("read this")
    return ranks(live_features)
