"""Attempts on what the kernel keeps for a whole user or machine: queues, attributes, priorities."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from attempts.registry import call, ends, numbers, ranks, reaches

_STATE = 2  # IPC_STAT of shmctl, semctl and msgctl
_GET_FLAGS, _SET_FLAGS, _NO_DUMP = 0x80086601, 0x40086602, 0x40
_CLONE_PARENT, _SIGCHLD = 0x8000, 17


@reaches("use System V memory, semaphores and queues of another program")
def _(facts):
    state = ctypes.create_string_buffer(256)
    attempts = (
        ("shmat", "shm", (0, 0)),
        ("shmctl", "shm", (_STATE, state)),
        ("semctl", "sem", (0, _STATE, state)),
        ("msgctl", "msg", (_STATE, state)),
        ("msgsnd", "msg", (struct.pack("l8s", 1, b"here"), 8, 0o4000)),
    )
    used = []
    for name, kind, arguments in attempts:
        with contextlib.suppress(OSError):
            call(numbers(name), facts["system_v"][kind], *arguments)
            used.append(name)
    return used


@reaches("remove a message queue of another program")
def _(facts):
    call(numbers("mq_unlink"), facts["queue"].encode())
    return "removed"


@reaches("run a program that is only in memory")
def _(facts):
    program = call(numbers("memfd_create"), b"program", 0)
    os.write(program, Path(sys.executable).read_bytes()[:4096])
    return f"/proc/self/fd/{program}"


@reaches("change the attributes of a file through a descriptor to read from")
def _(facts):
    flags = bytearray(8)
    with open(facts["model"], "rb") as file:
        fcntl.ioctl(file, _GET_FLAGS, flags)
        before = struct.unpack_from("=i", flags)[0]
        fcntl.ioctl(file, _SET_FLAGS, struct.pack("=q", before ^ _NO_DUMP))
    return "its attributes"


@reaches("change the attributes of a file by its path")
def _(facts):
    attributes = ctypes.create_string_buffer(24)
    call(numbers("file_getattr"), -100, facts["model"].encode(), attributes, 24, 0)
    flags = struct.unpack_from("=Q", attributes)[0] ^ 0x80  # FS_XFLAG_NODUMP
    struct.pack_into("=Q", attributes, 0, flags)
    call(numbers("file_setattr"), -100, facts["model"].encode(), attributes, 24, 0)
    return "its attributes"


@reaches("use up what the machine has for asynchronous reads")
def _(facts):
    context = ctypes.c_ulong(0)
    call(numbers("io_setup"), 1000, ctypes.byref(context))
    return "a thousand"


@reaches("be served before all other processes")
def _(facts):
    gained = []
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        gained += ["real time"] if os.sched_getscheduler(0) == os.SCHED_FIFO else []
    with contextlib.suppress(OSError):
        before = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, 0, -5)
        gained += ["priority"] if os.getpriority(os.PRIO_PROCESS, 0) < before else []
    return gained


@reaches("decide which processes of its user share a processor core")
def _(facts):
    create, group = 1, 1
    if ctypes.CDLL(None, use_errno=True).prctl(62, create, 0, group, 0) == 0:
        return "a cookie of its own"
    return None


@reaches("take an abstract name to which other programs connect")
def _(facts):
    # The stage tries to connect meanwhile.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + facts["free_abstract"])
        server.listen()
        server.settimeout(1)
        with contextlib.suppress(TimeoutError):
            server.accept()
            return "a program connected"
    return None


@reaches("write to a terminal")
def _(facts):
    terminals = [Path("/dev/tty"), Path("/dev/console"), *Path("/dev").glob("pts/[0-9]*")]
    written = []
    for terminal in terminals:
        with contextlib.suppress(OSError), open(terminal, "w") as opened:
            opened.write("")
            written.append(str(terminal))
    return written


@reaches("keep open files of its own in one of its threads")
def _(facts):
    found = []

    def separate():
        with contextlib.suppress(OSError):
            found.append(call(numbers("close_range"), 4000, 4000, 2))  # CLOSE_RANGE_UNSHARE

    thread = threading.Thread(target=separate)
    thread.start()
    thread.join()
    return found


@ends("leave a process that is its runner's child", "ok")
def _(live_features):
    if os.uname().machine == "x86_64":
        with contextlib.suppress(OSError):
            if call(56, _CLONE_PARENT | _SIGCHLD, 0, 0, 0, 0) == 0:
                time.sleep(600)
    return ranks(live_features)


@ends(
    "give its process a name that confuses who reads /proc",
    "out_of_memory",
    options=("--memory", "500m"),
)
def _(live_features):
    ctypes.CDLL(None).prctl(15, b") Z 1 (\n) Z 0 0", 0, 0, 0)  # PR_SET_NAME
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1024) * (8 * 1024)))


@ends(
    "take memory after its first thread has ended",
    "out_of_memory",
    "timeout",  # where a control group's limit stops it: it waits there for memory
    options=("--memory", "500m"),
)
def _(live_features):
    def take():
        kept = []
        for _ in range(150):  # 1.2 GB
            kept.append(bytearray(os.urandom(1024) * (8 * 1024)))
            time.sleep(0.02)
        time.sleep(20)

    threading.Thread(target=take).start()
    end_this_thread()


@ends("fill the disk after its first thread has ended", "model_crashed", "model_error")
def _(live_features):
    def fill():
        kept = []
        for number in range(24):  # 6 GB, of which no block is written
            kept.append(os.open(f"hidden-{number}", os.O_WRONLY | os.O_CREAT))
            os.unlink(f"hidden-{number}")
            os.posix_fallocate(kept[-1], 0, 256 * 1024**2)
            time.sleep(0.05)
        time.sleep(20)

    threading.Thread(target=fill).start()
    end_this_thread()


def end_this_thread():
    """End the calling thread alone, by the system call, which Python knows nothing of."""
    ctypes.CDLL(None).syscall(ctypes.c_long(93 if os.uname().machine == "aarch64" else 60), 0)


@ends(
    "take memory by pipes",
    "out_of_memory",
    "ok",  # where the kernel counts them, and leaves little to each
    options=("--memory", "500m"),
)
def _(live_features):
    for _ in range(20):
        if os.fork() == 0:
            fill_pipes()
            time.sleep(15)
            os._exit(0)
    time.sleep(15)
    return ranks(live_features)


def fill_pipes():
    """Fill all pipes that this process may have."""
    with contextlib.suppress(OSError):
        while True:
            _, end = os.pipe()
            os.set_blocking(end, False)
            os.write(end, bytes(65_536))


@ends(
    "use up the inodes of the disk",
    "model_crashed",
    "model_error",
    "timeout",  # where the disk is too slow for so many
)
def _(live_features):
    for part in range(4):
        if os.fork() == 0:
            for number in range(250):
                os.mkdir(f"many-{part}-{number}")
                for each in range(400):
                    os.mknod(f"many-{part}-{number}/{each}")
            os._exit(0)
    for _ in range(4):
        os.wait()
    time.sleep(5)
    return ranks(live_features)


@ends("leave directories that none may enter", "ok")
def _(live_features):
    os.makedirs("closed/inner")
    Path("closed/inner/file").write_text("here")
    os.umask(0o777)
    os.mkdir("without-rights")
    for name in ("closed/inner", "closed"):
        os.chmod(name, 0)
    subprocess.run(["chmod", "-R", "000", "."], capture_output=True)
    return ranks(live_features)
