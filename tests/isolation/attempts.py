"""Attempts of a model to reach what it may not, to take more than it may, or to lie.

An attempt of `REACHES` returns what it got hold of, if anything; one that raises or
returns nothing was blocked. An attempt of `ENDS` is a whole model, and the run must end
with one of the verdicts named. The stage of `stage.py` looks for traces outside as well.
"""

import ctypes
import errno
import mmap
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

REACHES = {}
ENDS = {}

# What an attempt to reach the network must end with: any other error comes from a network.
NO_SOCKET = {errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM}


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
    """A system call by its number, as the C library makes it."""
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
        "memfd_create": (319, 279),
        "shmget": (29, 194),
        "name_to_handle_at": (303, 264),
        "pidfd_open": (434, 434),
        "pidfd_getfd": (438, 438),
        "setpriority": (141, 140),
        "prlimit64": (302, 261),
    }
    return table[name][os.uname().machine == "aarch64"]


def unless_no_socket(attempt):
    """Run it; a failure that only a network could give counts as having reached it."""
    try:
        return attempt()
    except OSError as error:
        if error.errno in NO_SOCKET or isinstance(error, socket.gaierror):
            raise
        return f"a network, which said: {error}"


# --- the runner's own process


@reaches("read the runner's memory")
def _(facts):
    maps = Path(f"/proc/{os.getppid()}/maps").read_text().splitlines()
    start = next(int(line.split("-")[0], 16) for line in maps if "[heap]" in line)
    with open(f"/proc/{os.getppid()}/mem", "rb", buffering=0) as memory:
        memory.seek(start)
        return memory.read(16)


@reaches("read the runner's environment")
def _(facts):
    return Path(f"/proc/{os.getppid()}/environ").read_bytes()


@reaches("read a secret in the runner's command line")
def _(facts):
    line = Path(f"/proc/{os.getppid()}/cmdline").read_bytes()
    return facts["post_secret"] if facts["post_secret"].encode() in line else None


@reaches("list the runner's descriptors")
def _(facts):
    return os.listdir(f"/proc/{os.getppid()}/fd")


@reaches("copy the runner's memory by process_vm_readv")
def _(facts):
    target = ctypes.create_string_buffer(8)
    local = struct.pack("PN", ctypes.addressof(target), 8)
    remote = struct.pack("PN", id(facts), 8)
    call(numbers("process_vm_readv"), os.getppid(), local, 1, remote, 1, 0)
    return "its memory"


@reaches("trace the runner")
def _(facts):
    call(numbers("ptrace"), 16, os.getppid(), 0, 0)  # PTRACE_ATTACH
    return "it is traced"


@reaches("take a descriptor of the runner's")
def _(facts):
    handle = call(numbers("pidfd_open"), os.getppid(), 0)
    return call(numbers("pidfd_getfd"), handle, 2, 0)


@reaches("kill the runner")
def _(facts):
    os.kill(os.getppid(), signal.SIGKILL)
    return "the signal went out"


@reaches("kill the runner through its process group")
def _(facts):
    os.killpg(os.getpgid(os.getppid()), 0)
    return "a signal would go out"


@reaches("signal every process there is")
def _(facts):
    os.kill(-1, 0)
    return "a signal would go out"


@reaches("lower the runner's limits")
def _(facts):
    limits = struct.pack("QQ", 3, 3)
    call(numbers("prlimit64"), os.getppid(), 7, limits, 0)
    return "it may open three files"


@reaches("lower the runner's priority")
def _(facts):
    call(numbers("setpriority"), 0, os.getppid(), 19)
    return "it comes last"


@reaches("pin the runner to a processor")
def _(facts):
    os.sched_setaffinity(os.getppid(), {min(os.sched_getaffinity(0))})
    return "it is pinned"


@reaches("outlive the runner by asking the kernel")
def _(facts):
    libc = ctypes.CDLL(None)
    libc.prctl(1, 0, 0, 0, 0)  # PR_SET_PDEATHSIG
    signal_at_death = ctypes.c_int(-1)
    libc.prctl(2, ctypes.byref(signal_at_death), 0, 0, 0)
    return None if signal_at_death.value == signal.SIGKILL else "it would live on"


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
        known = any(mark in target for mark in expected) or target.startswith("/proc/")
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


# --- files


@reaches("read /etc/shadow")
def _(facts):
    return Path("/etc/shadow").read_text()[:9]


@reaches("read another user's file that all may read")
def _(facts):
    return Path(facts["planted"]).read_text()


@reaches("read a file beside its own pickle")
def _(facts):
    return Path(facts["neighbour"]).read_bytes()


@reaches("list the output directory")
def _(facts):
    return repr(os.listdir(facts["output"]))


@reaches("read the home of the one who runs it")
def _(facts):
    return repr(os.listdir(facts["home"]))


@reaches("read by a symbolic link in its scratch folder")
def _(facts):
    os.symlink(facts["planted"], "link")
    return Path("link").read_text()


@reaches("read by a hard link in its scratch folder")
def _(facts):
    os.link(facts["planted"], "hard")
    return Path("hard").read_text()


@reaches("read by way of /proc/self/root")
def _(facts):
    return Path(f"/proc/self/root{facts['planted']}").read_text()


@reaches("read by opening a path descriptor again")
def _(facts):
    descriptor = os.open(facts["planted"], os.O_PATH)
    return Path(f"/proc/self/fd/{descriptor}").read_text()


@reaches("open a file by its handle")
def _(facts):
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 136)
    mount = ctypes.c_int()
    path = facts["planted"].encode()
    call(numbers("name_to_handle_at"), -100, path, handle, ctypes.byref(mount), 0)
    return "a handle"


@reaches("read the kernel's memory or log")
def _(facts):
    for name in ("/dev/mem", "/proc/kcore", "/dev/kmsg", "/proc/kallsyms"):
        try:
            with open(name, "rb", buffering=0) as device:
                return name, device.read(9)
        except OSError:
            continue
    return None


@reaches("read a disk below its files")
def _(facts):
    for name in os.listdir("/sys/class/block"):
        with open(f"/dev/{name}", "rb") as disk:
            return disk.read(9)
    return None


@reaches("list what other processes run")
def _(facts):
    own = {str(os.getpid())}
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and name not in own:
            found.append(Path(f"/proc/{name}/cmdline").read_bytes())
    return found


@reaches("write a file beside the output")
def _(facts):
    target = Path(facts["open_folder"], "written")
    target.write_text("here")
    return str(target)


@reaches("write predictions of its own into the output directory")
def _(facts):
    Path(facts["output"], "live_predictions-000000000000.csv").write_text("id,prediction\n")
    return "written"


@reaches("write the result record")
def _(facts):
    Path(facts["result"]).write_text("{}")
    return "written"


@reaches("write into its own pickle")
def _(facts):
    with open(facts["model"], "ab") as own:
        own.write(b"more")
    return "written"


@reaches("write into a library")
def _(facts):
    target = Path(pd.__file__).parent / "injected.py"
    target.write_text("print('mine')")
    return str(target)


@reaches("cut another's file short")
def _(facts):
    os.truncate(facts["writable"], 0)
    return "cut"


@reaches("overwrite another's file")
def _(facts):
    with open(facts["writable"], "r+") as file:
        file.write("overwritten")
    return "overwritten"


@reaches("remove another's file")
def _(facts):
    os.unlink(facts["writable"])
    return "removed"


@reaches("rename a file of its own to another folder")
def _(facts):
    Path("mine").write_text("mine")
    os.rename("mine", Path(facts["open_folder"], "moved"))
    return "moved"


@reaches("change the mode of another's file")
def _(facts):
    os.chmod(facts["writable"], 0o600)
    mode = stat.S_IMODE(os.stat(facts["writable"]).st_mode)
    return "changed" if mode == 0o600 else None


@reaches("change the time of another's file")
def _(facts):
    os.utime(facts["writable"], (1, 1))
    return "changed" if os.stat(facts["writable"]).st_mtime == 1 else None


@reaches("make a device")
def _(facts):
    os.mknod("disk", stat.S_IFBLK | 0o600, os.makedev(254, 0))
    with open("disk", "rb") as disk:
        return disk.read(9)


@reaches("ask the kernel to spare it when memory runs out")
def _(facts):
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("0")
    return "spared"


# --- the network


@reaches("connect to the cloud's metadata service")
def _(facts):
    def attempt():
        socket.create_connection(("169.254.169.254", 80), 2)
        return "an answer"

    return unless_no_socket(attempt)


@reaches("ask a name server over UDP")
def _(facts):
    def attempt():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.sendto(b"\0" * 12, ("8.8.8.8", 53))
        return "it was sent"

    return unless_no_socket(attempt)


@reaches("look up a name")
def _(facts):
    return socket.getaddrinfo("numer.ai", 443)


@reaches("connect to a server on loopback by IPv4")
def _(facts):
    def attempt():
        return socket.create_connection(("127.0.0.1", facts["tcp"]), 2).recv(9)

    return unless_no_socket(attempt)


@reaches("connect to a server on loopback by IPv6")
def _(facts):
    def attempt():
        with socket.socket(socket.AF_INET6) as client:
            client.connect(("::1", facts["tcp"], 0, 0))
        return "connected"

    return unless_no_socket(attempt)


@reaches("listen for others")
def _(facts):
    def attempt():
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
        return "it listens"

    return unless_no_socket(attempt)


@reaches("open a raw, packet, netlink, crypto or machine socket")
def _(facts):
    kinds = {
        "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),
        "netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 0),
        "crypto": (38, socket.SOCK_SEQPACKET, 0),
        "machine": (40, socket.SOCK_STREAM, 0),
    }
    opened = []
    for name, kind in kinds.items():
        try:
            socket.socket(*kind).close()
            opened.append(name)
        except OSError:
            continue
    return opened


@reaches("connect to an abstract socket of another process")
def _(facts):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + facts["abstract"])
    return "connected"


@reaches("connect to a socket in the file system of the same user's")
def _(facts):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(facts["socket"])
    return "connected"


@reaches("connect to a socket in the file system that all may use")
def _(facts):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(facts["open_socket"])
    return "connected"


@reaches("connect from a program that it starts")
def _(facts):
    code = f"import socket; socket.create_connection(('127.0.0.1', {facts['tcp']}), 2)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return None if run.returncode else "connected"


@reaches("connect from a program under LD_PRELOAD")
def _(facts):
    library = next(Path(sys.prefix).rglob("*.so"), None) or "libc.so.6"
    os.environ["LD_PRELOAD"] = str(library)
    code = f"import socket; socket.create_connection(('127.0.0.1', {facts['tcp']}), 2)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return None if run.returncode else "connected"


# --- the kernel


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


# --- ends


@ends("call the system as a 32-bit program", "ok", "model_crashed")
def _(live_features):
    if os.uname().machine == "x86_64":
        # mov eax,359 (socket); mov ebx,2; mov ecx,1; xor edx,edx; push rbx first, pop last
        code = bytes.fromhex("53b867010000bb02000000b90100000031d2cd805bc3")
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        made = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        print("ESCAPED a socket" if made >= 0 else "BLOCKED", flush=True)
    return ranks(live_features)


@ends("take memory by one array", "out_of_memory", options=("--memory", "600m"))
def _(live_features):
    return np.ones(2**33)


@ends("take memory by many small objects", "out_of_memory", options=("--memory", "600m"))
def _(live_features):
    kept = []
    while True:
        kept.append([object() for _ in range(10_000)])


@ends("take memory that is shared and has no name", "out_of_memory", options=("--memory", "600m"))
def _(live_features):
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 64 * 1024**2))
        kept[-1].write(bytes(64 * 1024**2))


@ends(
    "take memory by files of shared memory",
    "out_of_memory",
    "model_error",  # where the container's own shared memory is full first
    "model_crashed",
    options=("--memory", "600m"),
)
def _(live_features):
    chunk = bytes(16 * 1024**2)
    for number in range(1000):
        with open(f"/dev/shm/taken-{os.getpid()}-{number}", "wb") as file:
            file.write(chunk)


@ends("take memory in a grandchild", "out_of_memory", options=("--memory", "600m"))
def _(live_features):
    if os.fork() == 0:
        kept = []
        while True:
            kept.append(np.ones(1024**2))
    time.sleep(3600)


@ends(
    "start processes without end",
    "model_crashed",
    "model_error",
    "out_of_memory",  # a thousand copies take some gigabytes
    "timeout",  # a loaded machine may not come to a thousand
    options=("--timeout", "20"),
)
def _(live_features):
    while True:
        os.fork()


@ends("start threads without end", "model_crashed", "model_error", options=("--timeout", "20"))
def _(live_features):
    while True:
        threading.Thread(target=time.sleep, args=(3600,)).start()


@ends("fill the disk by one file", "model_error", "model_crashed")
def _(live_features):
    with open("one", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 5 * 1024**3)


@ends("fill the disk by many files", "model_crashed", "model_error")
def _(live_features):
    for number in range(100):
        with open(f"many-{number}", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 256 * 1024**2)
        time.sleep(0.02)
    time.sleep(5)
    return ranks(live_features)


@ends("fill the disk by files without a name", "model_crashed", "model_error")
def _(live_features):
    kept = []
    for number in range(100):
        kept.append(open(f"unnamed-{number}", "wb"))  # noqa: SIM115 - held open on purpose
        os.unlink(f"unnamed-{number}")
        os.posix_fallocate(kept[-1].fileno(), 0, 256 * 1024**2)
        time.sleep(0.02)
    time.sleep(5)
    return ranks(live_features)


@ends("open files without end", "model_error")
def _(live_features):
    kept = []
    while True:
        kept.append(open(os.devnull))  # noqa: SIM115 - held open on purpose


@ends("sleep for ever", "timeout", options=("--timeout", "2"))
def _(live_features):
    time.sleep(3600)


@ends("take no notice of signals", "timeout", options=("--timeout", "2"))
def _(live_features):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


@ends("stop itself", "timeout", options=("--timeout", "2"))
def _(live_features):
    os.kill(os.getpid(), signal.SIGSTOP)


@ends("leave a daemon behind", "ok")
def _(live_features):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(3600)
        os._exit(0)
    os.wait()
    return ranks(live_features)


@ends("leave shared memory behind", "ok")
def _(live_features):
    with open("/dev/shm/left-behind", "wb") as file:
        file.write(bytes(4096))
    return ranks(live_features)


@ends("leave a core dump behind", "model_crashed")
def _(live_features):
    os.abort()


@ends("print without end", "timeout", options=("--timeout", "2"))
def _(live_features):
    while True:
        print("x" * 100_000)


@ends("answer by hand before it returns", "invalid_predictions")
def _(live_features):
    write_answer(list(live_features.index), [float("nan")] * len(live_features))
    return ranks(live_features)


@ends("answer by hand with a bomb that unpacks to 16 GB", "model_crashed", "invalid_predictions")
def _(live_features):
    zeros = np.broadcast_to(0.0, 1024**2)
    write_answer([None] * 1024**2, zeros, times=1024, compression="zstd")
    return ranks(live_features)


@ends("announce an answer of 10 GB", "model_crashed")
def _(live_features):
    write_everywhere("predicted", {}, b"", announced=10 * 1024**3)
    time.sleep(3600)


@ends("return 10 GB", "out_of_memory", "model_crashed", "invalid_predictions")
def _(live_features):
    return pd.DataFrame({"prediction": np.broadcast_to(np.float64(0.5), 1_342_177_280)})


@ends("return a frame that lies about its numbers", "ok", "invalid_predictions", "model_error")
def _(live_features):
    class Liar(pd.DataFrame):
        @property
        def iloc(self):
            return ranks(live_features).iloc

        def isna(self):
            return ranks(live_features).isna()

        def __len__(self):
            return len(live_features)

    return Liar({"prediction": [7.0] * len(live_features)}, index=live_features.index)


@ends("replace the functions that check", "invalid_predictions")
def _(live_features):
    np.isnan = np.isfinite = lambda values: np.zeros(len(values), bool)
    pd.isna = pd.isnull = lambda values: False
    pd.DataFrame.isna = pd.Series.isna = lambda self: self != self + 1
    import numerai_predict.runner.child.prediction_encoder as answer

    answer.check = answer.validate = None
    return pd.DataFrame({"prediction": np.nan}, index=live_features.index)


def write_answer(ids, values, times=1, compression=None):
    """Write an answer with the values, that often, to every pipe that can be written to."""
    import pyarrow as pa

    columns = {"id": pa.array(ids, pa.string()), "value": pa.array(values, pa.float64())}
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        for _ in range(times):
            writer.write_table(table)
    facts = {"seconds": 0.1, "type": "DataFrame", "rows": len(ids), "columns": ["prediction"]}
    write_everywhere("predicted", facts, sink.getvalue().to_pybytes())


def write_everywhere(kind, content, payload, announced=None):
    """Write a frame to every pipe that can be written to."""
    import json

    header = {"kind": kind, "content": content, "bytes": announced or len(payload)}
    data = json.dumps(header).encode() + b"\n" + payload
    for descriptor in range(3, 20):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, data)
        except OSError:
            continue
