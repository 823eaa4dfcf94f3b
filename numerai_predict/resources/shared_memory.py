"""Shared memory that a model leaves under a name: counted as memory, removed at the end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.redaction import printable
from numerai_predict.sandbox.access_rules import SHARED_MEMORY
from numerai_predict.sandbox.identity import Identity

BLOCK_BYTES = 512  # of `st_blocks`, whatever the file system


@dataclass(frozen=True)
class _File:
    name: str
    number: int
    bytes: int


class SharedMemoryFiles:
    """The files of shared memory that a model's user and group made since now.

    Other programs of the same user and group make such files too. Those that one of
    them holds are not the model's.
    """

    def __init__(self, identity: Identity) -> None:
        self._user = os.geteuid() if identity.user is None else identity.user
        self._group = os.getegid() if identity.group is None else identity.group
        self._before = {file.number for file in self._files()}

    def bytes(self) -> int:
        """The memory in all of them: an upper bound of the model's."""
        return sum(file.bytes for file in self._new())

    def bytes_of_model(self, processes: Collection[int]) -> int:
        """The memory in those that no process but the model's holds."""
        return sum(file.bytes for file in self._of_model(processes))

    def remove(self) -> list[Path]:
        """Remove what the model left, now that its processes have ended.

        Where other programs of the user and group run, theirs cannot be told from the
        model's: those stay, and are returned.
        """
        left = self._of_model(())
        if left and _has_other_processes(self._user, self._group):
            return [SHARED_MEMORY / printable(file.name) for file in left]
        for file in left:
            with contextlib.suppress(OSError):
                (SHARED_MEMORY / file.name).unlink()
        return []

    def _of_model(self, processes: Collection[int]) -> list[_File]:
        new = self._new()
        if not new:
            return []
        held = _held_by_others(processes)
        return [file for file in new if file.number not in held]

    def _new(self) -> list[_File]:
        return [file for file in self._files() if file.number not in self._before]

    def _files(self) -> list[_File]:
        found = []
        with contextlib.suppress(OSError):
            for entry in os.scandir(SHARED_MEMORY):
                with contextlib.suppress(OSError):  # removed meanwhile
                    facts = entry.stat(follow_symlinks=False)
                    if (facts.st_uid, facts.st_gid) == (self._user, self._group):
                        size = facts.st_blocks * BLOCK_BYTES
                        found.append(_File(entry.name, facts.st_ino, size))
        return found


def _has_other_processes(user: int, group: int) -> bool:
    """Whether processes of both run, beside this one and those that it came from."""
    own = set(_lineage())
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            facts = process.stat()
            if (facts.st_uid, facts.st_gid) == (user, group) and int(process.name) not in own:
                return True
    return False


def _lineage() -> Iterator[int]:
    pid = os.getpid()
    while pid:
        yield pid
        try:
            facts = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return
        pid = int(facts.rpartition(")")[2].split()[1])


def _held_by_others(processes: Collection[int]) -> set[int]:
    """Numbers of the files of shared memory that processes other than these have mapped."""
    held: set[int] = set()
    mark = f" {SHARED_MEMORY}/"
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) in processes:
            continue
        with contextlib.suppress(OSError), (process / "maps").open() as maps:  # it may have ended
            held.update(int(line.split()[4]) for line in maps if mark in line)
    return held
