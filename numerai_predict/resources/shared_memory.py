"""Named shared memory (/dev/shm) of a model: counted as its memory, deleted after the run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.sandbox.access_rules import SHARED_MEMORY
from numerai_predict.sandbox.identity import Identity

BLOCK_BYTES = 512  # of `st_blocks`, whatever the file system


@dataclass(frozen=True)
class _File:
    name: str
    inode: int
    bytes: int


class SharedMemoryFiles:
    """The shared memory files that the model's user and group create from now on.

    Other programs of the same user and group create such files too. A file that one of them has
    mapped is not the model's. If `process` has a private file system for them, all in it are the
    model's, deleted ones that a process holds open as well, and the kernel removes them.
    """

    def __init__(self, identity: Identity, process: int) -> None:
        self._seen_by_process = Path(f"/proc/{process}/root{SHARED_MEMORY}")
        self._is_private = False
        self._user = os.geteuid() if identity.user is None else identity.user
        self._group = os.getegid() if identity.group is None else identity.group
        self._before = {file.inode for file in self._files()}

    def bytes(self) -> int:
        """The size of all of them: an upper bound of the model's."""
        private = self._private_bytes()
        return private if private is not None else sum(file.bytes for file in self._new())

    def bytes_of_model(self, processes: Collection[int]) -> int:
        """The size of those that only the model's `processes` have mapped."""
        private = self._private_bytes()
        if private is not None:
            return private
        return sum(file.bytes for file in self._of_model(processes))

    def remove(self) -> list[Path]:
        """Delete the model's files, after its processes have ended; returns those that remain.

        If other programs of the user and group run, their files cannot be distinguished from the
        model's, and all remain.
        """
        files = [] if self._is_private else self._of_model(())
        if files and _has_other_processes(self._user, self._group):
            return [SHARED_MEMORY / one_line(file.name) for file in files]
        for file in files:
            with contextlib.suppress(OSError):
                (SHARED_MEMORY / file.name).unlink()
        return []

    def _private_bytes(self) -> int | None:
        """What a private file system holds; `None` if there is none."""
        with contextlib.suppress(OSError):  # the process has ended
            if self._seen_by_process.stat().st_dev != SHARED_MEMORY.stat().st_dev:
                self._is_private = True
                system = os.statvfs(self._seen_by_process)
                return (system.f_blocks - system.f_bfree) * system.f_frsize
        return 0 if self._is_private else None

    def _of_model(self, processes: Collection[int]) -> list[_File]:
        new = self._new()
        if not new:
            return []
        mapped = _mapped_by_others(processes)
        return [file for file in new if file.inode not in mapped]

    def _new(self) -> list[_File]:
        return [file for file in self._files() if file.inode not in self._before]

    def _files(self) -> list[_File]:
        files = []
        with contextlib.suppress(OSError):
            for entry in os.scandir(SHARED_MEMORY):
                with contextlib.suppress(OSError):  # deleted meanwhile
                    status = entry.stat(follow_symlinks=False)
                    if (status.st_uid, status.st_gid) == (self._user, self._group):
                        size = status.st_blocks * BLOCK_BYTES
                        files.append(_File(entry.name, status.st_ino, size))
        return files


def _has_other_processes(user: int, group: int) -> bool:
    """Whether processes of this user and group run, except this process and its ancestors."""
    own = set(_self_and_ancestors())
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            status = process.stat()
            if (status.st_uid, status.st_gid) == (user, group) and int(process.name) not in own:
                return True
    return False


def _self_and_ancestors() -> Iterator[int]:
    pid = os.getpid()
    while pid:
        yield pid
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return
        pid = int(stat.rpartition(")")[2].split()[1])  # ppid (proc(5))


def _mapped_by_others(processes: Collection[int]) -> set[int]:
    """Inodes of the shared memory files that processes other than these have mapped."""
    inodes: set[int] = set()
    prefix = f" {SHARED_MEMORY}/"
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) in processes:
            continue
        with contextlib.suppress(OSError), (process / "maps").open() as maps:  # it may have ended
            inodes.update(int(line.split()[4]) for line in maps if prefix in line)
    return inodes
