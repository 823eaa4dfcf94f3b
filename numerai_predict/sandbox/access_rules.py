"""What a model may read and write: the interpreter, libraries, and a folder of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

# Programs, libraries, fonts, time zones: public on every machine.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")

# Of the system's settings what the C library and libraries of numbers, fonts and
# certificates read; nothing in them is secret.
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

# How many processors, how much memory: what libraries of numbers size themselves by.
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
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where the C library keeps semaphores
SELF = Path("/proc/self")
# Its folders may be listed, no more: a process that the model starts is another than the one
# whose files it may read, and looks which descriptors it has.
PROCESSES = Path("/proc")


def readable(package: Path, given: Collection[str]) -> list[Path]:
    """Every place that a model may read: `package` is ours, `given` its own files."""
    places = [*map(Path, (*_SYSTEM, *_SETTINGS, *_MACHINE, *given)), SELF, *_python(package)]
    return list(dict.fromkeys(places))


def _python(package: Path) -> Iterator[Path]:
    """The interpreter, its libraries and ours; not the folder that ours lie in."""
    yield package
    yield from (Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix))
    yield Path(sys.executable).resolve()
    for entry in (*sys.path, *os.environ.get("LD_LIBRARY_PATH", "").split(":")):
        if entry.startswith("/") and Path(entry) != package.parent:
            yield Path(entry)
