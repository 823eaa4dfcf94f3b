"""The paths that a model may read and write."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from numerai_predict.contract.library_folders import is_library_folder, readable_of

# Programs, libraries, fonts, time zones: public on every machine.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")

# System settings that the C library, numeric libraries, fonts and certificates need; none of
# them is secret.
_SETTINGS = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/locale.alias",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
    "/var/cache/fontconfig",
)

# CPU count and memory size, by which numeric libraries size their thread pools and buffers.
_MACHINE = (
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/kernel/cap_last_cap",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/random",
    "/proc/sys/kernel/threads-max",
    "/proc/sys/vm",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/hugepages",
    "/sys/kernel/mm/transparent_hugepage",
)

DEVICES = tuple(Path("/dev", name) for name in ("null", "zero", "full", "random", "urandom"))
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the C library creates semaphores there
SELF = Path("/proc/self")
_NETWORK_OR_THREADS = ("net", "task")
# Listing alone is allowed: a process that the model starts lists its own descriptors, and is
# another process than the one whose files may be read.
PROCESSES = Path("/proc")


def readable(package: Path, files: Collection[str]) -> list[Path]:
    """Every path that a model may read: its `files`, the system's, Python's and this `package`."""
    paths = [*map(Path, (*_SYSTEM, *_SETTINGS, *_MACHINE, *files)), *_python(package)]
    return list(dict.fromkeys(paths))


def own_process(*, private_network: bool) -> list[Path]:
    """What this process may read of its own directory in `/proc`.

    Where the network namespace is the machine's, it lists the connections of the machine, also in
    the directory of each thread: the paths are then all others. Links grant what they lead to.
    """
    if private_network:
        return [SELF]
    found = [path for path in SELF.iterdir() if path.name not in _NETWORK_OR_THREADS]
    return [path for path in found if not path.is_symlink()]


def _python(package: Path) -> Iterator[Path]:
    """The interpreter, its libraries and `package`.

    Of the directory that holds `package` only the libraries that are installed in it: a checkout
    has other files.
    """
    yield package
    yield from (Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix))
    yield Path(sys.executable).resolve()
    for entry in map(Path, (*sys.path, *os.environ.get("LD_LIBRARY_PATH", "").split(":"))):
        if is_library_folder(entry):
            yield from readable_of(entry)
        elif entry.is_absolute() and entry != package.parent:
            yield entry
