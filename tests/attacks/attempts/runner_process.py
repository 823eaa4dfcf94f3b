"""Attempts on the supervisor: its memory, environment, descriptors, signals and limits."""

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

import numpy as np

from attempts.registry import call, numbers, reaches, runner


@reaches("read the runner's memory")
def _(facts):
    maps = Path(f"/proc/{runner()}/maps").read_text().splitlines()
    start = next(int(line.split("-")[0], 16) for line in maps if "[heap]" in line)
    with open(f"/proc/{runner()}/mem", "rb", buffering=0) as memory:
        memory.seek(start)
        return memory.read(16)


@reaches("read the runner's environment")
def _(facts):
    return Path(f"/proc/{runner()}/environ").read_bytes()


@reaches("read a secret in the runner's command line")
def _(facts):
    line = Path(f"/proc/{runner()}/cmdline").read_bytes()
    return facts["post_secret"] if facts["post_secret"].encode() in line else None


@reaches("list the runner's descriptors")
def _(facts):
    return os.listdir(f"/proc/{runner()}/fd")


@reaches("copy the runner's memory by process_vm_readv")
def _(facts):
    target = ctypes.create_string_buffer(8)
    local = struct.pack("PN", ctypes.addressof(target), 8)
    remote = struct.pack("PN", id(facts), 8)
    call(numbers("process_vm_readv"), runner(), local, 1, remote, 1, 0)
    return "its memory"


@reaches("trace the runner")
def _(facts):
    call(numbers("ptrace"), 16, runner(), 0, 0)  # PTRACE_ATTACH
    return "it is traced"


@reaches("take a descriptor of the runner's")
def _(facts):
    handle = call(numbers("pidfd_open"), runner(), 0)
    return call(numbers("pidfd_getfd"), handle, 2, 0)


@reaches("kill the runner")
def _(facts):
    os.kill(runner(), signal.SIGKILL)
    return "the signal went out"


@reaches("kill the runner through its process group")
def _(facts):
    os.killpg(os.getpgid(runner()), 0)
    return "a signal would go out"


@reaches("signal every process there is")
def _(facts):
    os.kill(-1, 0)
    return "a signal would go out"


@reaches("lower the runner's limits")
def _(facts):
    limits = struct.pack("QQ", 3, 3)
    call(numbers("prlimit64"), runner(), 7, limits, 0)
    return "it may open three files"


@reaches("lower the runner's priority")
def _(facts):
    before = os.getpriority(os.PRIO_PROCESS, runner())
    call(numbers("setpriority"), 0, runner(), before + 1)
    return "it comes later" if os.getpriority(os.PRIO_PROCESS, runner()) != before else None


@reaches("pin the runner to a processor")
def _(facts):
    before = os.sched_getaffinity(runner())
    # The runner of a fleet's slot has one processor already: then to another one.
    others = set(range(os.cpu_count())) - before
    os.sched_setaffinity(runner(), {min(others or before)})
    return "it is pinned" if os.sched_getaffinity(runner()) != before else None


@reaches("outlive the runner by asking the kernel")
def _(facts):
    libc = ctypes.CDLL(None)
    libc.prctl(1, 0, 0, 0, 0)  # PR_SET_PDEATHSIG
    pdeathsig = ctypes.c_int(-1)
    libc.prctl(2, ctypes.byref(pdeathsig), 0, 0, 0)
    return None if pdeathsig.value == signal.SIGKILL else "it would live on"


@reaches("find a descriptor that is none of its pipes")
def _(facts):
    expected = ("pipe:", "/dev/null", facts["scratch_mark"])
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        # Libraries have their own; what a library has comes from below its prefix.
        known = any(mark in target for mark in expected) or f"{target}/".startswith("/proc/")
        if not known and not target.startswith(("anon_inode:", sys.prefix, sys.base_prefix)):
            found.append(target)
    return found


@reaches("find a secret in its own environment")
def _(facts):
    values = Path("/proc/self/environ").read_text() + repr(dict(os.environ))
    return [s for s in (facts["secret"], facts["post_secret"]) if s in values]


@reaches("find a thread that the sandbox does not hold")
def _(facts):
    np.ones((300, 300)) @ np.ones((300, 300))  # the threads of a numeric library
    free = []
    for task in Path("/proc/self/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        held = dict(line.split(":\t") for line in lines if ":\t" in line)
        if held["Seccomp"].strip() != "2" or held["NoNewPrivs"].strip() != "1":
            free.append(task.name)
    return free
