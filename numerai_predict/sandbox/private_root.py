"""The root directory that a model has in its mount namespace: what it may reach, nothing else.

It shows the readable paths read-only where the machine has them, the scratch directory, a few
devices, and directories of the run's own at `/tmp`, `/var/tmp` and `/dev/shm`. Files in the
first two are kept below the scratch directory, and count for its limit. `/dev/shm` is a file
system in memory: its size is that of the memory limit, and what it holds counts as memory.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.sandbox import access_rules, mounts
from numerai_predict.sandbox.mounts import Attribute
from numerai_predict.sandbox.user_entries import lists_with_own_user

# Private directories, and the directory below the scratch directory that holds their files.
_ON_DISK = {"/tmp": ".tmp", "/var/tmp": ".var-tmp"}  # noqa: S108 - they are private here
_SHARED_MEMORY = str(access_rules.SHARED_MEMORY)
PRIVATE_DIRECTORIES = tuple(map(Path, (*_ON_DISK, _SHARED_MEMORY)))
_BUILT_IN = ".root"
# Kernel memory of a file system in memory is limited by the number of files.
_MAX_SHARED_FILES = 65_536
_MAX_LINKS = 40
_READ_ONLY = Attribute.READ_ONLY | Attribute.NO_SET_USER_ID | Attribute.NO_DEVICES
# Files of /proc that are about the machine and no process. Container engines hide most of them.
_HIDDEN_OF_PROC = (
    "asound", "config.gz", "consoles", "diskstats", "iomem", "ioports", "interrupts", "kallsyms",
    "kcore", "key-users", "keys", "kmsg", "kpagecgroup", "kpagecount", "kpageflags",
    "latency_stats", "modules", "mtrr", "pagetypeinfo", "sched_debug", "slabinfo", "softirqs",
    "sysrq-trigger", "timer_list", "vmallocinfo", "vmstat", "zoneinfo",
)  # fmt: skip
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}


@dataclass(frozen=True)
class RootSpec:
    """What a private root shows.

    `owner` is the user and group of the model, `None` for those of the caller.
    """

    scratch: str
    readable: tuple[Path, ...]
    memory_bytes: int | None
    owner: tuple[int, int] | None


def enter_private_root(spec: RootSpec, *, own_processes: bool) -> int:
    """Build the root and switch to it; returns the number of readable paths in it.

    `/proc` shows the caller's PID namespace if it has one of its own (`own_processes`), else what
    it showed before. The caller must have a mount namespace of its own.

    Raises:
        OSError: the kernel refuses; the old root is still in place.
    """
    mounts.isolate_mounts()
    building = os.path.join(spec.scratch, _BUILT_IN)
    os.mkdir(building)
    try:
        mounts.mount_tmpfs(building, "mode=0755,size=16m,nr_inodes=16384")
        try:
            count = _build(building, spec, own_processes=own_processes)
            mounts.change_root(building)
        except OSError:
            mounts.unmount(building)
            raise
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(building)
    return count


def _build(root: str, spec: RootSpec, *, own_processes: bool) -> int:
    tree = _Tree(root)
    paths = tree.resolve(spec.readable)
    private = [path for path in paths if _is_below(path, _ON_DISK)]
    scratch = os.path.realpath(spec.scratch)
    _show(tree, (path for path in paths if path not in private), spec)
    for directory in (*_ON_DISK, "/dev", "/proc"):
        tree.make_directory(directory)
    if not _is_below(scratch, _ON_DISK):
        tree.make_directory(scratch)
    mounts.restrict(root, _READ_ONLY)
    for directory, name in _ON_DISK.items():
        mounts.bind(_make_owned(os.path.join(scratch, name), spec.owner), root + directory)
    tree.make_directory(scratch)
    for path in private:
        if tree.show(path):
            mounts.restrict(root + path, _READ_ONLY)
    mounts.bind(scratch, root + scratch, recursive=False)  # `root` is below it
    for directory in (*_ON_DISK, scratch):
        writable = Attribute.NO_SET_USER_ID | Attribute.NO_DEVICES
        mounts.restrict(root + directory, writable)
    _mount_devices(root, spec.memory_bytes)
    if own_processes:
        _mount_proc(root)
    else:
        mounts.bind("/proc", root + "/proc")
    return len(paths)


def _show(tree: _Tree, paths: Iterable[str], spec: RootSpec) -> None:
    """Show the paths; the model's user is in the lists of users and groups."""
    written = lists_with_own_user(spec.owner, spec.scratch)
    for path in paths:
        if path in written:
            tree.write(path, written[path])
        else:
            tree.show(path)


def _make_owned(directory: str, owner: tuple[int, int] | None) -> str:
    os.makedirs(directory, 0o700, exist_ok=True)
    if owner is not None:
        os.chown(directory, *owner)
    return directory


def _mount_devices(root: str, memory_bytes: int | None) -> None:
    """Mount `/dev`, with the devices that models use and the private shared memory."""
    devices = root + "/dev"
    sources = [str(device) for device in access_rules.DEVICES if device.exists()]
    mounts.mount_tmpfs(devices, "mode=0755,size=1m,nr_inodes=64")
    for device in sources:
        _touch(root + device)
        mounts.bind(device, root + device)
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, os.path.join(devices, name))
    os.mkdir(root + _SHARED_MEMORY)
    mounts.restrict(devices, Attribute.READ_ONLY, recursive=False)
    size = "50%" if memory_bytes is None else str(memory_bytes)
    options = f"mode=1777,size={size},nr_inodes={_MAX_SHARED_FILES}"
    mounts.mount_tmpfs(root + _SHARED_MEMORY, options)


def _mount_proc(root: str) -> None:
    """Mount a `/proc` of the model's own processes, with nothing about the machine to read."""
    mounts.mount_proc(root + "/proc")
    for name in _HIDDEN_OF_PROC:
        path = f"{root}/proc/{name}"
        if os.path.isfile(path):
            mounts.bind(root + "/dev/null", path)


class _Tree:
    """The directories, links and mounts below a new root."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._shown: list[str] = []
        self._no_links: set[str] = set()  # paths found to be none
        self._made: set[str] = set()

    def resolve(self, paths: Iterable[Path]) -> list[str]:
        """The real paths of those that exist and need a mount, in the order of mounting.

        Links on the way to them are made in the new root.
        """
        real = {self._follow(str(path)) for path in paths if os.path.exists(path)}
        if "/" in real:
            raise OSError(errno.EINVAL, "the model may read the whole file system")
        elsewhere = ("/proc", "/dev")
        return sorted(path for path in real if not _is_below(path, elsewhere))

    def show(self, path: str) -> bool:
        """Mount a real path at its place, unless one above it is; returns whether it was needed."""
        if _is_below(path, self._shown):
            return False
        if os.path.isdir(path):
            self.make_directory(path)
        else:
            self.make_directory(os.path.dirname(path))
            _touch(self._root + path)
        try:
            mounts.bind(path, self._root + path)
        except OSError as error:
            if error.errno != errno.EACCES:  # a file that the model's user may not reach
                raise
            return False
        self._shown.append(path)
        return True

    def write(self, path: str, content: bytes) -> None:
        """Write a file for all to read, in place of the machine's."""
        self.make_directory(os.path.dirname(path))
        with open(self._root + path, "xb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o444)

    def make_directory(self, path: str) -> None:
        """Make a directory at the place of a real path."""
        if path not in self._made:
            os.makedirs(self._root + path, 0o755, exist_ok=True)
            self._made.add(path)

    def _follow(self, path: str) -> str:
        current = "/"
        links = 0
        pending = _parts(path)
        while pending:
            name = pending.pop()
            if name == "..":
                current = os.path.dirname(current)
                continue
            step = f"{current.rstrip('/')}/{name}"
            if step in self._no_links or not os.path.islink(step):
                self._no_links.add(step)
                current = step
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = os.readlink(step)
            self._link(step, target)
            pending.extend(_parts(target))
            current = "/" if target.startswith("/") else current
        return current

    def _link(self, path: str, target: str) -> None:
        self.make_directory(os.path.dirname(path))
        with contextlib.suppress(FileExistsError):
            os.symlink(target, self._root + path)


def _parts(path: str) -> list[str]:
    """The names in a path, last first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _is_below(path: str, directories: Collection[str]) -> bool:
    """Whether the path is one of the directories, or below one."""
    return f"{path}/".startswith(tuple(f"{each}/" for each in directories))


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o444))
