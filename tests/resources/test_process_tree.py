"""The processes below another one, also those that try to hide what they use."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from numerai_predict.resources.memory import resident_bytes
from numerai_predict.resources.open_files import open_files
from numerai_predict.resources.process_tree import descendants

pytestmark = pytest.mark.process

WITHOUT_FIRST_THREAD = """
import ctypes, os, sys, threading, time

def work():
    kept, file = os.urandom(1 << 20) * 100, open(sys.argv[1], "wb")
    time.sleep(0.1)
    print("ready", flush=True)
    time.sleep(60)

threading.Thread(target=work).start()
number = 93 if os.uname().machine == "aarch64" else 60
ctypes.CDLL(None).syscall(ctypes.c_long(number), 0)
"""


@contextlib.contextmanager
def started(program, *arguments):
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def test_a_process_whose_first_thread_has_ended_hides_neither_memory_nor_files(tmp_path):
    with started(WITHOUT_FIRST_THREAD, tmp_path / "file") as process:
        assert resident_bytes([process.pid]) == 0  # why another thread is needed
        tree = descendants(os.getpid())
        assert resident_bytes(tree.processes) > 100 << 20
        inodes = {status.st_ino for pid in tree.processes for status in open_files(pid)}
        assert (tmp_path / "file").stat().st_ino in inodes


def test_children_and_threads_are_counted(tmp_path):
    program = (
        "import subprocess, sys, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "print('ready', flush=True)\n"
    )
    with started(program) as process:
        time.sleep(0.05)
        tree = descendants(os.getpid())
        assert process.pid in tree.processes
        names = {Path(f"/proc/{pid}/comm").read_text().strip() for pid in tree.processes}
        assert "sleep" in names
        assert tree.tasks >= 3
        for pid in tree.processes[1:]:
            os.kill(pid, 9)
