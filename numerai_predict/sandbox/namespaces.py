"""Private user, mount, PID, IPC and network namespaces of the model process.

They are made by a first process in them, a clone of the calling one: it brings up loopback,
builds the private root and reports. The caller then enters them. With a PID namespace the first
process stays as its process 1, which reaps orphans and whose end kills all; the model goes on in
a fork of the caller, and the caller waits for it and ends as it ended. A machine that allows
none of it leaves the process as it was.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import platform
import signal
import socket
from dataclasses import asdict, dataclass, field
from typing import NoReturn

from numerai_predict.sandbox import capabilities
from numerai_predict.sandbox.init_process import (
    drop_privileges_and_descriptors,
    serve_as_init,
    wait_for_model,
)
from numerai_predict.sandbox.loopback import bring_up_loopback
from numerai_predict.sandbox.private_root import RootSpec, enter_private_root
from numerai_predict.sandbox.syscall_numbers import Architecture, architecture
from numerai_predict.sandbox.syscalls import PR_SET_PDEATHSIG, prctl, system_call
from numerai_predict.sandbox.user_map import map_users

USER, MOUNT, PID = "user_namespace", "mount_namespace", "pid_namespace"
IPC, NETWORK = "ipc_namespace", "network_namespace"
NAMESPACES = (USER, MOUNT, PID, IPC, NETWORK)

_FLAGS = {USER: 0x10000000, MOUNT: 0x00020000, PID: 0x20000000}
_FLAGS |= {IPC: 0x08000000, NETWORK: 0x40000000}
_SYS_ADMIN = 21
_SETUP_BYTES = 64 * 1024
_CONTINUE = b"c"
_ENDED = json.dumps({"error": errno.ECHILD})
_NO_PROC = "the kernel allows no /proc of its own here, because parts of /proc are hidden"

_DESCRIPTIONS = {
    USER: "capabilities are valid only inside it",
    PID: "/proc shows the model's processes alone, and all end with the first of them",
    IPC: "System V and POSIX queues of its own",
    NETWORK: "a loopback interface of its own, and no other",
}


@dataclass(frozen=True)
class NamespaceLayers:
    """The namespaces that the process is in, and why it is not in the others."""

    engaged: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)

    @property
    def private_network(self) -> bool:
        """Whether no socket reaches a process of the machine.

        Abstract sockets and addresses belong to the network namespace, named sockets to the
        files that can be seen.
        """
        return {NETWORK, MOUNT} <= self.engaged.keys()

    @property
    def private_root(self) -> bool:
        """Whether the process sees only files that it may reach."""
        return MOUNT in self.engaged

    @property
    def private_processes(self) -> bool:
        """Whether the process sees only the model's processes."""
        return PID in self.engaged


@dataclass(frozen=True)
class _Setup:
    """What the first process reports: readable paths in the root, or the error that it got."""

    paths: int = 0
    error: int | None = None


def enter_namespaces(root: RootSpec) -> NamespaceLayers:
    """Move this process into namespaces of its own, all that the kernel allows.

    The process must have one thread. With a PID namespace this returns in a fork of the process.
    Its current directory is the scratch directory.
    """
    kind = architecture(platform.machine())
    if kind is None:
        return _unavailable(f"no table of system call numbers for {platform.machine()}")
    refusal = OSError(errno.EPERM, os.strerror(errno.EPERM))
    for names in _candidates():
        try:
            return _enter(names, root, kind)
        except OSError as error:
            refusal = error
    return _unavailable(f"the kernel refused it: {refusal.strerror}")


def _candidates() -> list[tuple[str, ...]]:
    """The sets of namespaces to try, the best first.

    Root in the machine's own user namespace can do without another one. Where parts of `/proc`
    are hidden, as in a container, there is no PID namespace.
    """
    sets: list[tuple[str, ...]] = [NAMESPACES]
    if capabilities.effective() >> _SYS_ADMIN & 1:
        sets.append(tuple(name for name in NAMESPACES if name != USER))
    return [each for full in sets for each in (full, tuple(name for name in full if name != PID))]


def _enter(names: tuple[str, ...], root: RootSpec, kind: Architecture) -> NamespaceLayers:
    own_end, first_end = socket.socketpair()
    flags = sum(_FLAGS[name] for name in names)
    with own_end:
        with first_end:
            pid = system_call(kind.number("clone") or -1, flags | signal.SIGCHLD, 0, 0, 0, 0)
            if pid == 0:
                own_end.close()
                _first_process(names, root, first_end)
        return _follow(pid, names, own_end, root, kind)


def _follow(
    pid: int,
    names: tuple[str, ...],
    first: socket.socket,
    root: RootSpec,
    kind: Architecture,
) -> NamespaceLayers:
    """Let the first process set up the namespaces, then enter them."""
    try:
        if USER in names:
            map_users(pid)
        first.sendall(_CONTINUE)
        setup = _Setup(**json.loads(first.recv(_SETUP_BYTES) or _ENDED))
        if setup.error is not None:
            raise OSError(setup.error, os.strerror(setup.error))
        descriptor = os.pidfd_open(pid)
        try:
            flags = sum(_FLAGS[name] for name in names)
            system_call(kind.number("setns") or -1, descriptor, flags)
        finally:
            os.close(descriptor)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    if PID not in names:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    else:
        first.sendall(_CONTINUE)
        _continue_in_fork(root)
    os.chdir(root.scratch)
    return _layers(names, setup)


def _continue_in_fork(root: RootSpec) -> None:
    model = os.fork()
    if model:
        try:
            drop_privileges_and_descriptors(root.owner)
            wait_for_model(model)
        finally:
            os._exit(1)
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _first_process(names: tuple[str, ...], root: RootSpec, caller: socket.socket) -> NoReturn:
    gc.disable()  # a collection would copy every page that is shared with the caller
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if caller.recv(1):
            caller.sendall(json.dumps(asdict(_set_up(names, root))).encode())
            if caller.recv(1):
                serve_as_init(root.owner)
    finally:
        os._exit(1)


def _set_up(names: tuple[str, ...], root: RootSpec) -> _Setup:
    try:
        os.umask(0o022)
        bring_up_loopback()
        return _Setup(enter_private_root(root, own_processes=PID in names))
    except OSError as error:
        return _Setup(error=error.errno or errno.EPERM)


def _layers(names: tuple[str, ...], setup: _Setup) -> NamespaceLayers:
    own = "/tmp, /var/tmp and /dev/shm of its own"  # noqa: S108 - a description
    described = {**_DESCRIPTIONS, MOUNT: f"a root of {setup.paths} readable paths; {own}"}
    engaged = {name: described[name] for name in NAMESPACES if name in names}
    reasons = {USER: "the kernel allows root others without it", PID: _NO_PROC}
    return NamespaceLayers(
        engaged, {name: reasons[name] for name in NAMESPACES if name not in names}
    )


def _unavailable(reason: str) -> NamespaceLayers:
    return NamespaceLayers({}, dict.fromkeys(NAMESPACES, reason))
