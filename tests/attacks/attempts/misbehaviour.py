"""Models that take more than their limits, leave something behind, or answer with a lie."""

import ctypes
import mmap
import os
import signal
import stat
import threading
import time

import numpy as np
import pandas as pd

from attempts.registry import ends, ranks


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
    buffer = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(buffer, table.schema, options=options) as writer:
        for _ in range(times):
            writer.write_table(table)
    facts = {"seconds": 0.1, "type": "DataFrame", "rows": len(ids), "columns": ["prediction"]}
    write_everywhere("predicted", facts, buffer.getvalue().to_pybytes())


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


@ends(
    "take memory by files of shared memory that have no name",
    "out_of_memory",
    "model_error",  # where the container's own shared memory is full first
    "model_crashed",
    options=("--memory", "500m"),
)
def _(live_features):
    held = []
    for number in range(60):
        name = f"/dev/shm/nameless-{os.getpid()}-{number}"
        held.append(os.open(name, os.O_RDWR | os.O_CREAT, 0o600))
        os.unlink(name)
        for _ in range(4):
            os.write(held[-1], bytes(8 * 1024**2))
    time.sleep(15)
    return ranks(live_features)


@ends("take memory by the buffers of sockets", "out_of_memory", options=("--memory", "500m"))
def _(live_features):
    children = []
    for _ in range(5):
        children.append(os.fork())
        if children[-1] == 0:
            fill_sockets(400)
            time.sleep(10)
            os._exit(0)
    for child in children:  # on a busy machine they take their time to fill them
        os.waitpid(child, 0)
    return ranks(live_features)


def fill_sockets(pairs):
    """Fill that many pairs of sockets, which no process reads."""
    import socket

    held = [each for _ in range(pairs) for each in socket.socketpair()]
    for each in held:
        each.setblocking(False)
        try:
            while True:
                each.send(bytes(60_000))
        except BlockingIOError:
            continue


@ends("take memory by page tables", "out_of_memory", options=("--memory", "500m"))
def _(live_features):
    import mmap

    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000  # MAP_NORESERVE
    step = 2 * 1024**2  # what one table maps; the pages themselves are the kernel's empty one
    mapping = mmap.mmap(-1, 180_000 * step, flags=flags, prot=mmap.PROT_READ)
    mapping.madvise(15)  # MADV_NOHUGEPAGE
    for offset in range(0, len(mapping), step):
        mapping[offset]
    time.sleep(15)
    return ranks(live_features)
