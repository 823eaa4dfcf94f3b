"""Attempts on the kernel: to gain privileges, make name spaces, use rarely needed system calls."""

import ctypes
import os
import socket
import stat
import struct
import subprocess
import sys
from pathlib import Path

from attempts.registry import call, numbers, reaches


@reaches("become root")
def _(facts):
    os.setuid(0)
    return "root" if os.getuid() == 0 and facts["was_root"] is False else None


@reaches("have capabilities that reach past its files")
def _(facts):
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = int(next(line.split()[1] for line in lines if line.startswith("CapEff")), 16)
    return hex(effective) if effective & ~4 else None  # CAP_DAC_READ_SEARCH: Landlock bounds it


@reaches("gain privileges by a program that has them")
def _(facts):
    for name in ("/usr/bin/su", "/bin/su", "/usr/bin/mount"):
        if os.path.exists(name) and os.stat(name).st_mode & stat.S_ISUID:
            code = f"import os; os.execv({name!r}, [{name!r}, '-c', 'id -u'])"
            run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            return run.stdout.strip() if run.stdout.strip() == "0" else None
    return None


@reaches("make a user name space")
def _(facts):
    call(numbers("unshare"), 0x10000000)
    return "made"


@reaches("make name spaces by clone3")
def _(facts):
    arguments = struct.pack("11Q", 0x10000000 | 0x00020000, 0, 0, 0, 17, *[0] * 6)
    if call(numbers("clone3"), arguments, len(arguments)) == 0:
        os._exit(0)
    return "made"


@reaches("mount a file system")
def _(facts):
    os.mkdir("mounted")
    call(numbers("mount"), b"none", b"mounted", b"tmpfs", 0, 0)
    ctypes.CDLL(None).umount2(b"mounted", 0)
    return "mounted"


@reaches("change its root directory")
def _(facts):
    os.chroot(".")
    return "changed"


@reaches("use the kernel's keyring")
def _(facts):
    call(numbers("keyctl"), 0, -3, 1)  # KEYCTL_GET_KEYRING_ID of the session
    return "a keyring"


@reaches("load a program into the kernel")
def _(facts):
    call(numbers("bpf"), 0, struct.pack("IIII", 2, 4, 4, 1) + bytes(100), 116)
    return "a map"


@reaches("open performance counters")
def _(facts):
    attributes = struct.pack("II", 1, 128) + bytes(120)
    call(numbers("perf_event_open"), attributes, 0, -1, -1, 0)
    return "a counter"


@reaches("handle page faults")
def _(facts):
    call(numbers("userfaultfd"), 1)
    return "a handler"


@reaches("use io_uring")
def _(facts):
    call(numbers("io_uring_setup"), 8, bytes(120))
    return "a ring"


@reaches("keep memory that belongs to no process")
def _(facts):
    for name, arguments in (("memfd_create", (b"kept", 0)), ("shmget", (0, 4096, 0o1600))):
        try:
            return name, call(numbers(name), *arguments)
        except OSError:
            continue
    return None


@reaches("make calls in another processor's way")
def _(facts):
    if os.uname().machine != "x86_64":
        return None
    call(0x40000000 + 41, socket.AF_INET, socket.SOCK_STREAM, 0)  # x32
    return "a socket"
