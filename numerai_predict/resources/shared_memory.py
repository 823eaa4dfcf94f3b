"""Named shared memory (/dev/shm) of a model: counted as its memory, deleted after the run."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.resources.open_files import (
    BLOCK_BYTES,
    has_descriptors_in_transit,
    open_files,
)
from numerai_predict.sandbox.access_rules import SHARED_MEMORY
from numerai_predict.sandbox.identity import Identity


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
        entries = list(self._entries())
        self._before = {s.st_ino for _, s in entries if not stat.S_ISDIR(s.st_mode)}
        self._before_directories = {s.st_ino for _, s in entries if stat.S_ISDIR(s.st_mode)}
        self._least_bytes = self._used_bytes()

    def growth_bytes(self) -> int:
        """An upper bound of the model's shared memory: named or not, mapped or not, by anyone."""
        private = self._private_bytes()
        if private is not None:
            return private
        used = self._used_bytes()
        self._least_bytes = min(self._least_bytes, used)
        return used - self._least_bytes

    def bytes(self) -> int:
        """The size of all of them: an upper bound of the model's."""
        private = self._private_bytes()
        return private if private is not None else sum(file.bytes for file in self._new())

    def bytes_of_model(self, processes: Collection[int]) -> int:
        """The size of those that only the model's `processes` have mapped, and of deleted ones.

        A deleted file that is mapped and not open counts as much as the mapping; one that no
        process holds, because its descriptor is in a socket's queue, as the growth that nothing
        else explains.
        """
        private = self._private_bytes()
        if private is not None:
            return private
        named = sum(file.bytes for file in self._of_model(processes))
        deleted = deleted_bytes(processes)
        if not has_descriptors_in_transit(processes):
            return named + deleted
        of_others = sum(file.bytes for file in self._new()) - named
        return max(named + deleted, self.growth_bytes() - of_others)

    def remove(self) -> list[Path]:
        """Delete the model's files, after its processes have ended; returns those that remain.

        A file that a living program has mapped or open is that program's, and is kept.
        """
        files = [] if self._is_private else self._of_model(())
        for file in files:
            path = SHARED_MEMORY / file.name
            with contextlib.suppress(OSError):
                if path.lstat().st_ino == file.inode:
                    path.unlink()
        # The deepest first: a directory is empty then.
        for directory in sorted(self._directories(), key=lambda each: -len(each.parts)):
            with contextlib.suppress(OSError):
                directory.rmdir()
        left = {file.inode for file in self._of_model(())} & {file.inode for file in files}
        return [SHARED_MEMORY / one_line(f.name) for f in files if f.inode in left]

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
        held = _held_by_others(processes)
        return [file for file in new if file.inode not in held]

    def _new(self) -> list[_File]:
        return [file for file in self._files() if file.inode not in self._before]

    def _files(self) -> list[_File]:
        """Every file of the user and group, in directories too."""
        return [
            _File(name, status.st_ino, status.st_blocks * BLOCK_BYTES)
            for name, status in self._entries()
            if not stat.S_ISDIR(status.st_mode)
        ]

    def _directories(self) -> list[Path]:
        """The directories of the user and group that did not exist before."""
        return [
            SHARED_MEMORY / name
            for name, status in self._entries()
            if stat.S_ISDIR(status.st_mode) and status.st_ino not in self._before_directories
        ]

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        pending = [""]
        while pending:
            directory = pending.pop()
            with contextlib.suppress(OSError), os.scandir(SHARED_MEMORY / directory) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):  # deleted meanwhile
                        status = entry.stat(follow_symlinks=False)
                        if (status.st_uid, status.st_gid) != (self._user, self._group):
                            continue
                        name = str(Path(directory, entry.name))
                        yield name, status
                        if stat.S_ISDIR(status.st_mode):
                            pending.append(name)

    def _used_bytes(self) -> int:
        try:
            status = os.statvfs(SHARED_MEMORY)
        except OSError:
            return 0
        return (status.f_blocks - status.f_bfree) * status.f_frsize


def deleted_bytes(processes: Iterable[int]) -> int:
    """The size of the deleted files of shared memory that the processes hold open or mapped."""
    device = SHARED_MEMORY.stat().st_dev
    mapped: dict[int, int] = {}
    opened: dict[int, int] = {}
    for pid in processes:
        for inode, size in _deleted_mappings(pid):
            mapped[inode] = max(mapped.get(inode, 0), size)
        for status in open_files(pid):
            if (status.st_dev, status.st_nlink) == (device, 0):
                opened[status.st_ino] = status.st_blocks * BLOCK_BYTES
    return sum({**mapped, **opened}.values())


def _deleted_mappings(pid: int) -> Iterator[tuple[int, int]]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            if f" {SHARED_MEMORY}/" in line and line.rstrip().endswith("(deleted)"):
                addresses, _, offset, _, inode = line.split()[:5]
                start, end = (int(address, 16) for address in addresses.split("-"))
                yield int(inode), end - start + int(offset, 16)


def _held_by_others(processes: Collection[int]) -> set[int]:
    """Inodes of the shared memory files that processes other than these have mapped or open."""
    inodes: set[int] = set()
    prefix = f" {SHARED_MEMORY}/"
    device = SHARED_MEMORY.stat().st_dev
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) in processes:
            continue
        with contextlib.suppress(OSError), (process / "maps").open() as maps:  # it may have ended
            inodes.update(int(line.split()[4]) for line in maps if prefix in line)
        for status in open_files(int(process.name)):
            if status.st_dev == device:
                inodes.add(status.st_ino)
    return inodes
