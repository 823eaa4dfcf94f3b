"""Run a command as a plain user, if wanted on a kernel without Landlock or without namespaces.

python tests/attacks/plain_user.py [--user UID] [--without LAYER]... [--recycle-ids] COMMAND...

`--recycle-ids`: processes that the command starts have lower ids than it, as on a machine that has
used all ids and begins again.
"""

import argparse
import ctypes
import errno
import os
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from numerai_predict.sandbox import bpf, capabilities, syscall_numbers

_NEW_NAMESPACES = 0x7E020000
# Numbers of all architectures; the table of the product has only what the product denies.
_LANDLOCK = (444, 445, 446)


class _Architecture(syscall_numbers.Architecture):
    """The architecture, whose calls may also be given by number."""

    def number(self, call):
        return int(call) if call.isdigit() else super().number(call)


def without(layers):
    """The rules of a kernel that lacks the layers."""
    if "landlock" in layers:
        yield bpf.SyscallRule(" ".join(map(str, _LANDLOCK)), errno.ENOSYS)
    if "namespaces" in layers:
        yield bpf.SyscallRule("unshare", errno.EPERM)
        named = bpf.ArgumentCondition(0, bpf.Comparison.HAS_BITS, _NEW_NAMESPACES)
        yield bpf.SyscallRule("clone", errno.EPERM, named)
        yield bpf.SyscallRule("clone3", errno.ENOSYS)


def open_interpreter():
    """Let other users read this interpreter, in a mount namespace of this process alone."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source, target, kind, flags, options=None):
        words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
        if libc.mount(*words, ctypes.c_ulong(flags), options):
            raise OSError(ctypes.get_errno(), f"mount {target}")

    prefix = Path(sys.base_prefix)
    closed = [parent for parent in prefix.parents if not parent.stat().st_mode & 0o001]
    if not closed:
        return
    if libc.unshare(0x20000):  # CLONE_NEWNS; Python 3.11 has no os.unshare
        raise OSError(ctypes.get_errno(), "unshare")
    mount("none", "/", None, 0x44000)  # MS_REC | MS_PRIVATE
    handle = os.open(prefix, os.O_PATH)
    mount("tmpfs", str(closed[-1]), "tmpfs", 0, b"mode=755")
    prefix.mkdir(parents=True)
    mount(f"/proc/self/fd/{handle}", str(prefix), None, 0x1000)  # MS_BIND
    os.close(handle)


def recycle_ids():
    """Go on as a process with a high id, in a namespace whose next ids are low."""
    next_id = Path("/proc/sys/kernel/ns_last_pid")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x20020000):  # CLONE_NEWPID | CLONE_NEWNS
        raise OSError(ctypes.get_errno(), "unshare")
    follow_child()
    next_id.write_text("20000")
    follow_child()
    os.setpgid(0, 0)
    libc.mount(b"proc", b"/proc", b"proc", 0, None)
    next_id.write_text("500")


def follow_child():
    """Go on in a child; this process ends as its child process does."""
    if child := os.fork():
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", type=int)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--recycle-ids", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.user is not None:
        open_interpreter()
    if options.recycle_ids:
        recycle_ids()
    if options.user is not None:
        os.setgroups([])
        os.setresgid(options.user, options.user, options.user)
        os.setresuid(options.user, options.user, options.user)
    if rules := list(without(options.without)):
        kind = syscall_numbers.architecture(platform.machine())
        kind = _Architecture(kind.name, kind.audit_arch, kind.column, kind.foreign_from)
        capabilities.set_no_new_privs()
        bpf.enforce(bpf.program(rules, kind), kind)
    os.execv(options.command[0], options.command)


if __name__ == "__main__":
    main()
