"""The memory of a process tree: shared pages count once, memory of the kernel counts too."""

import mmap
import os
import signal
import socket
import subprocess
import sys

import pytest

from numerai_predict.resources.kernel_memory import buffer_bytes, kernel_memory
from numerai_predict.resources.memory_limit import MemoryMeter
from numerai_predict.resources.model_cgroup import ModelCgroup
from numerai_predict.resources.process_tree import ProcessTree, descendants
from numerai_predict.resources.shared_memory import SharedMemoryFiles
from numerai_predict.sandbox.identity import Identity

MIB = 1024**2
FORKS = 10

pytestmark = pytest.mark.process


@pytest.fixture
def fork():
    """Start processes that share this one's pages, run a function, report and wait."""
    started = []

    def start(function):
        ready, report = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                function()
                os.write(report, b".")
                signal.pause()
            finally:
                os._exit(0)
        started.append(pid)
        os.close(report)
        assert os.read(ready, 1) == b"."
        os.close(ready)
        return pid

    yield start
    for pid in started:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def meter(limit, cgroup=None):
    shared = SharedMemoryFiles(Identity(), os.getpid())
    return MemoryMeter(limit, Identity(), cgroup or ModelCgroup(), shared)


# Shares its pages with forks; pytest's own process has peaks of other tests.
SHARING = f"""
import os, signal
held = bytes(range(256)) * (60 * 1024**2 // 256)
for _ in range({FORKS}):
    if not os.fork():
        signal.pause()
print("ready", flush=True)
signal.pause()
"""


def test_pages_that_forks_share_count_once():
    command = [sys.executable, "-c", SHARING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as holder:
        try:
            assert holder.stdout.readline() == b"ready\n"
            tree = ProcessTree([holder.pid, *descendants(holder.pid).processes], FORKS + 1)
            assert len(tree.processes) == FORKS + 1
            measured = meter(1024 * MIB)
            assert not measured.exceeds(tree)
            assert 60 * MIB < measured.peak_bytes < 400 * MIB  # not 60 MiB for each
        finally:
            os.killpg(holder.pid, signal.SIGKILL)


def test_memory_of_its_own_counts_for_each_process(fork):
    held = []
    for _ in range(3):
        fork(lambda: held.append(b"x" * (60 * MIB)))
    tree = descendants(os.getpid())
    assert meter(100 * MIB).exceeds(tree)


def test_page_tables_count(fork):
    def map_sparsely():
        mapping = mmap.mmap(-1, 4096 * MIB)
        for offset in range(0, len(mapping), 2 * MIB):
            mapping[offset] = 1
        fork_holds.append(mapping)

    fork_holds = []
    pid = fork(map_sparsely)
    assert kernel_memory([pid], 1).page_tables > 8 * MIB


def test_sockets_count_as_much_as_their_buffers_hold(fork):
    held = []
    pid = fork(lambda: held.extend(each for _ in range(50) for each in socket.socketpair()))
    assert kernel_memory([pid], 1).sockets >= 100 * buffer_bytes()


def test_pipes_count_as_much_as_they_hold(fork):
    held = []
    pid = fork(lambda: held.extend(os.pipe() for _ in range(50)))
    assert kernel_memory([pid], 1).pipes >= 50 * 64 * 1024


def test_open_files_and_threads_count(fork):
    held = []
    pid = fork(lambda: held.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(200)))
    counted = kernel_memory([pid], 50)
    assert counted.descriptors >= 200 * 1024
    assert counted.tasks >= 50 * 16 * 1024


def test_a_kill_by_the_kernel_is_an_excess(tmp_path):
    (tmp_path / "memory.events").write_text("oom_kill 1\n")
    (tmp_path / "memory.peak").write_text("12345\n")
    measured = meter(1024 * MIB, ModelCgroup({"memory": tmp_path}))
    assert measured.exceeds(ProcessTree([], 0))
    assert measured.peak_bytes == 12345
