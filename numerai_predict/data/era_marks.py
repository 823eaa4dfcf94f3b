"""Marks of eras by what they contain, so that they are known again in any file.

The order of rows, the names of eras and the bytes of the file make no difference. The row that
identifies an era is chosen by a checksum of the ids, so that it is likely to be the same one in a
file that lacks other rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_TARGET_ROWS = 16
_ID_DIGITS, _TARGET_DIGITS = 12, 8


class EraMark(NamedTuple):
    """Marks of an era's rows and of its targets; equal targets of another name have equal ones."""

    rows: str
    target: str


def era_mark(ids: Sequence[str], target: NDArray[Any]) -> EraMark:
    """The marks of an era of at least one row; `target` has shape (rows,), NaN where unknown."""
    codes = np.fromiter((crc32(each.encode()) for each in ids), np.uint32, len(ids))
    count = min(_TARGET_ROWS, len(ids))
    smallest = np.argpartition(codes, count - 1)[:count]
    rows = sorted((int(codes[row]), ids[row], row) for row in smallest.tolist())
    values = np.asarray([target[row] for _, _, row in rows], np.float32) + np.float32(0)
    values[np.isnan(values)] = np.float32("nan")
    return EraMark(
        hashlib.sha256(rows[0][1].encode()).hexdigest()[:_ID_DIGITS],
        hashlib.sha256(values.tobytes()).hexdigest()[:_TARGET_DIGITS],
    )
