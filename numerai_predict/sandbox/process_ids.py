"""The ids of the processes and threads that exist, also when ids have started again from 1."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

_PROCESSES = Path("/proc")
_MOST_RANGES = 16  # each takes some 40 of the 4096 instructions that a seccomp filter may have


def higher_ids(own: int) -> tuple[range, ...]:
    """Ranges that hold all ids above `own` of the processes, threads and groups that exist.

    At most 16: of more, those that lie closest together become one, with the unused ids between.
    """
    return _joined(sorted({number for number in _existing_ids() if number > own}))


def _existing_ids() -> Iterator[int]:
    for pid in _numbered(_PROCESSES):
        yield pid
        with contextlib.suppress(ProcessLookupError):  # it has ended
            yield os.getpgid(pid)
        yield from _numbered(_PROCESSES / str(pid) / "task")


def _numbered(directory: Path) -> list[int]:
    try:
        return [int(entry.name) for entry in directory.iterdir() if entry.name.isdigit()]
    except OSError:  # it has ended, or it belongs to another user and is hidden
        return []


def _joined(ids: list[int]) -> tuple[range, ...]:
    if not ids:
        return ()
    widest = sorted(pairwise(ids), key=lambda pair: pair[0] - pair[1])[: _MOST_RANGES - 1]
    gaps = sorted((last, first) for last, first in widest if first - last > 1)
    firsts = [ids[0], *(first for _, first in gaps)]
    lasts = [*(last for last, _ in gaps), ids[-1]]
    return tuple(range(first, last + 1) for first, last in zip(firsts, lasts, strict=True))
