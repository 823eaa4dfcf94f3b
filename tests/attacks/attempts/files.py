"""Attempts on files: to read, list, write, rename or remove files that are not the model's own."""

import ctypes
import os
import stat
import struct
from pathlib import Path

import pandas as pd

from attempts.registry import call, numbers, reaches


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


@reaches("read by a symbolic link in its scratch directory")
def _(facts):
    os.symlink(facts["planted"], "link")
    return Path("link").read_text()


@reaches("read by a hard link in its scratch directory")
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
                if content := device.read(9):  # a hidden file is empty
                    return name, content
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
    if os.getppid() == 0:  # a PID namespace of its own, whose first process is the model's too
        own.add("1")
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
    # A private /tmp may have a directory of that name.
    real = Path(facts["result"]).parent.stat().st_ino == facts["result_folder"]
    return "written" if real else None


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


@reaches("rename a file of its own to another directory")
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
