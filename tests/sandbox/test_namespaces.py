"""Private namespaces: what a sandboxed process finds in them, and how it ends."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from numerai_predict.contract.bootstrap import PACKAGE
from numerai_predict.contract.limits import Limits
from numerai_predict.sandbox import apply
from numerai_predict.sandbox.identity import Identity, identity_for_model
from numerai_predict.sandbox.namespaces import NAMESPACES, NamespaceLayers
from numerai_predict.sandbox.scratch import create_scratch
from numerai_predict.sandbox.syscalls import PR_SET_DUMPABLE, prctl

pytestmark = pytest.mark.process


def sandboxed(action, readable=(), memory_bytes=4 << 30):
    """What `action` returns in a sandboxed fork, and the fork's exit status."""
    identity = identity_for_model(PACKAGE)
    scratch = create_scratch(identity)
    limits = Limits(memory_bytes=memory_bytes)
    spec = apply.SandboxSpec(
        str(PACKAGE), scratch.name, tuple(map(str, readable)), limits, identity
    )
    answers, answer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.setsid()
            layers = apply.apply_sandbox(spec)
            with open(answer, "w") as out:
                json.dump([layers.as_record(), action()], out)
            os._exit(0)
        os._exit(9)
    os.close(answer)
    with open(answers) as given:
        text = given.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    scratch.cleanup()
    layers, found = json.loads(text) if text else ({}, None)
    if layers.get("mount_namespace", "").startswith("not available"):
        pytest.skip(layers["mount_namespace"])
    return found, status, layers


def test_all_are_reported():
    _, status, layers = sandboxed(lambda: None)
    assert status == 0
    assert set(NAMESPACES) <= layers.keys()


def test_it_sees_its_own_processes_alone():
    def look():
        return sorted(int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())

    found, _, layers = sandboxed(look)
    if layers["pid_namespace"].startswith("not available"):
        pytest.skip(layers["pid_namespace"])
    assert found == [1, 2]


def test_it_sees_the_readable_paths_and_nothing_else(tmp_path):
    shown, hidden = tmp_path / "shown.txt", tmp_path / "hidden.txt"
    for path in (shown, hidden):
        path.write_text("text")
    tmp_path.chmod(0o755)

    def look():
        return [Path(path).exists() for path in (shown, hidden, "/root/.bashrc", "/run", "/home")]

    found, _, _ = sandboxed(look, [shown])
    assert found == [True, False, False, False, False]


def test_files_below_fixed_paths_are_private_and_removed():
    names = [f"/{folder}/made-by-{os.getpid()}" for folder in ("tmp", "var/tmp", "dev/shm")]

    def write():
        for name in names:
            Path(name).write_text("private")
        return [Path(name).read_text() for name in names]

    found, _, _ = sandboxed(write)
    assert found == ["private"] * 3
    assert not any(Path(name).exists() for name in names)
    found, _, _ = sandboxed(lambda: [Path(name).exists() for name in names])
    assert found == [False] * 3


def test_the_root_is_read_only():
    def write():
        errors = []
        for name in ("/made", "/usr/made", "/dev/made", "/etc/hosts", "/etc/passwd", "/etc/group"):
            try:
                Path(name).write_text("a")
            except OSError as error:
                errors.append(error.errno)
        return errors

    found, _, _ = sandboxed(write)
    assert len(found) == 6


def test_its_user_and_group_are_in_the_lists_beside_those_of_the_machine():
    def look():
        lists = [Path(name).read_text().splitlines() for name in ("/etc/passwd", "/etc/group")]
        names = [subprocess.run(["id", option], capture_output=True, text=True).stdout.strip()
                 for option in ("-un", "-gn")]  # fmt: skip
        return lists, names

    (users, groups), (user, group) = sandboxed(look)[0]
    machine = Path("/etc/passwd").read_text().splitlines()
    assert users[: len(machine)] == machine
    assert len(users) <= len(machine) + 1
    assert any(line.startswith(f"{user}:") for line in users)
    assert any(line.startswith(f"{group}:") for line in groups)


def test_shared_memory_is_as_large_as_the_memory_limit():
    def size():
        system = os.statvfs("/dev/shm")
        return system.f_blocks * system.f_frsize

    assert sandboxed(size, memory_bytes=64 << 20)[0] == 64 << 20


def test_loopback_works_and_is_another_than_the_machines():
    def exchange():
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname(), 2)
            accepted, _ = server.accept()
            accepted.sendall(b"hello")
            return client.recv(5).decode()

    assert sandboxed(exchange)[0] == "hello"
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]

        def reach():
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port))

        assert sandboxed(reach)[0] != 0


def test_sockets_in_its_scratch_directory_work_and_no_others(tmp_path):
    with socket.socket(socket.AF_UNIX) as outside:
        outside.bind(str(tmp_path / "s"))
        outside.listen()
        tmp_path.chmod(0o777)
        (tmp_path / "s").chmod(0o777)

        def connect():
            with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
                server.bind("own")
                server.listen()
                own = client.connect_ex("own")
            with socket.socket(socket.AF_UNIX) as client:
                return own, client.connect_ex(str(tmp_path / "s"))

        own, other = sandboxed(connect)[0]
    assert own == 0
    assert other != 0


@pytest.mark.parametrize("protocol", [132, 262, 1])
def test_other_protocols_than_tcp_and_udp_are_refused(protocol):
    def attempt():
        with contextlib.suppress(OSError):
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol).close()
            return "opened"

    assert sandboxed(attempt)[0] is None


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_it_ends_by_the_signal_that_ended_the_model(number):
    _, status, _ = sandboxed(lambda: os.kill(os.getpid(), number))
    assert status == -number


def test_it_ends_with_the_exit_status_of_the_model():
    _, status, _ = sandboxed(lambda: os._exit(42))
    assert status == 42


def test_whatever_the_model_started_ends_with_it():
    mark = f"{100_000 + os.getpid()}"

    def start():
        subprocess.Popen(["sleep", mark], start_new_session=True)

    _, status, layers = sandboxed(start)
    assert status == 0
    if layers["pid_namespace"].startswith("not available"):
        pytest.skip(layers["pid_namespace"])
    until = time.monotonic() + 20
    while (left := _sleeping(mark)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left


def _sleeping(mark):
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cmdline").read_bytes() == f"sleep\0{mark}\0".encode():
                found.append(process.name)
    return found


def test_sockets_are_relaxed_only_where_network_and_files_are_private():
    both = {"network_namespace": "", "mount_namespace": ""}
    assert NamespaceLayers(both).private_network
    for name in both:
        assert not NamespaceLayers({name: ""}).private_network


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_a_plain_user_has_them_too():
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setresgid(4242, 4242, 4242)
            os.setresuid(4242, 4242, 4242)
            prctl(PR_SET_DUMPABLE, 1)  # as after the start of a program
            # Its own Python would be one that it can read.
            sys.path[:] = [entry for entry in sys.path if os.access(entry, os.R_OK)]
            scratch = create_scratch(Identity())
            spec = apply.SandboxSpec(str(PACKAGE), scratch.name, (), Limits(), Identity())
            record = apply.apply_sandbox(spec).as_record()
            Path("/tmp/made").write_text("private")
            status = 3 if any("not available" in record[name] for name in NAMESPACES) else 0
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
