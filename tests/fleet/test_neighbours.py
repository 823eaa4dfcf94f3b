"""One attacker beside nine honest models: no model makes another one fail."""

import contextlib
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "attacks"))


HONEST = 9
SECONDS = 12
LIMITS = ("--memory", "1g", "--timeout", str(SECONDS + 8))


def ranks(live):
    values = live["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def honest(live_features):
    """Use a little of all that the attacker takes, and see that no other model changes it."""
    names = ("/dev/shm/common", "common.txt")
    processors = os.sched_getaffinity(0)
    kept = bytearray(os.urandom(1 << 20) * 50)
    for number in range(4):
        for name in names:
            with open(name, "x") as file:
                file.write(f"{os.getpid()} {number}")
        assert subprocess.run(["/bin/true"]).returncode == 0
        thread = threading.Thread(target=time.sleep, args=(0.2,))
        thread.start()
        thread.join()
        one, other = socket.socketpair()
        one.send(b"x" * 1000)
        assert other.recv(1000) == b"x" * 1000
        with open("scratch", "wb") as file:
            file.write(bytes(1 << 22))
        for name in names:
            with open(name) as file:
                assert file.read() == f"{os.getpid()} {number}", name
            Path(name).unlink()
    assert os.sched_getaffinity(0) == processors
    assert len(kept) == 50 << 20
    return ranks(live_features)


def disk(stop):
    with open("large", "wb") as file:
        for _ in range(1000):  # 1 GB of the 4 that it may write
            if stop():
                return
            file.write(bytes(1 << 20))
    while not stop():
        with open("large", "r+b") as file:
            file.write(bytes(1 << 20))
            os.fsync(file.fileno())
        time.sleep(0.1)


def memory(stop):
    kept = mmap.mmap(-1, 500 << 20)
    for position in range(0, 500 << 20, 4096):
        kept[position] = 1
    while not stop():
        time.sleep(0.1)


def processes(stop):
    started = []
    while not stop() and len(started) < 500:
        try:
            started.append(os.fork())
        except OSError:
            time.sleep(0.05)
            continue
        if not started[-1]:
            time.sleep(600)
            os._exit(0)
    while not stop():
        time.sleep(0.1)


def sockets(stop):
    pairs = []
    while not stop() and len(pairs) < 1500:
        try:
            pairs.append(socket.socketpair())
        except OSError:
            time.sleep(0.05)
            continue
        pairs[-1][0].setblocking(False)
        with contextlib.suppress(OSError):
            pairs[-1][0].send(b"x" * 50_000)
    while not stop():
        time.sleep(0.1)


def shared_names(stop):
    number = 0
    while not stop():
        number += 1
        for name in ("/dev/shm/common", f"/dev/shm/taken-{number % 500}", "/tmp/common.txt"):
            with contextlib.suppress(OSError):
                Path(name).write_text("taken")
                Path(name).chmod(0)
        with contextlib.suppress(OSError):
            Path("/dev/shm/common").unlink()
        time.sleep(0.001)


def schedulers(stop):
    """Act on the processes that started about when this one did, its neighbours among them."""
    own = os.getpid()
    while not stop():
        for number in range(max(2, own - 200), own + 1000):
            for act in (
                lambda pid: os.sched_setaffinity(pid, {0}),
                lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
                lambda pid: os.kill(pid, signal.SIGCONT),
            ):
                with contextlib.suppress(OSError):
                    act(number)
        time.sleep(0.01)


WAYS = (disk, memory, processes, sockets, shared_names, schedulers)


def attack(live_features, leave):
    """Take all that it can get, each in a process of its own, as long as it may run."""
    until = time.monotonic() + SECONDS
    started = []
    for way in WAYS:
        started.append(os.fork())
        if not started[-1]:
            try:
                way(lambda: time.monotonic() > until)
            finally:
                os._exit(0)
    if leave:
        raise RuntimeError("everything is left behind")
    print("attacking", flush=True)
    time.sleep(600)


def holds(live_features):
    return attack(live_features, leave=False)


def leaves(live_features):
    time.sleep(1)
    return attack(live_features, leave=True)


@pytest.mark.ray
@pytest.mark.timeout(240)
@pytest.mark.parametrize("attacker", [holds, leaves])
def test_nine_honest_models_end_ok_beside_an_attacker(fleet, pickle_model, tmp_path, attacker):
    rows = [{"id": "attacker", "model": str(pickle_model(attacker, "attacker.pkl"))}]
    for number in range(HONEST):
        model = pickle_model(honest, f"honest{number}.pkl")
        rows.append({"id": f"honest{number}", "model": str(model)})
    path = tmp_path / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = fleet.run(path, *LIMITS, timeout=200)
    verdicts = out.verdicts()
    attackers = verdicts.pop("attacker")
    found = {
        name: out.records()[name]["message"] for name, word in verdicts.items() if word != "ok"
    }
    assert found == {}, out.stderr
    assert len(verdicts) == HONEST
    assert attackers in ("timeout", "out_of_memory", "model_error", "model_crashed"), out.stderr
