"""Estimates whether the engine or the library predicts a model sooner."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numerai_predict.acceleration.verification import REPEATED_ROWS, SAMPLE_ROWS

# Seconds on one core, measured with bench/trees.py. What is left out on both sides is equal.
_LIBRARY_VALUE = 2e-9  # the library converts every value of the input
_LIBRARY_LEVEL = 8e-9  # a row goes down one level of a tree
_ENGINE_START = 1e-3  # load the engine, choose the sample
_ENGINE_VALUE = 1e-9
_ENGINE_ROW = 4e-9  # a row of one tree
_READ_BYTE = 3e-9
_WRITE_BYTE = 40e-9  # a text that the library has to write first
_BYTES_PER_LEAF = 100
_BLOCK = 512  # rows; a part of a block costs as much as a whole one


@dataclass(frozen=True)
class Size:
    """The size of a prediction; `text_bytes` is `None` where the model's text is not known.

    `is_read`: the engine holds the model already, and has been compared with the library.
    """

    rows: int
    columns: int
    trees: int
    text_bytes: int | None = None
    is_read: bool = False


def engine_is_faster(size: Size) -> bool:
    """Whether the engine, with all that it needs first, is estimated to take less time."""
    return _engine_seconds(size) < _library_seconds(size, size.rows)


def _library_seconds(size: Size, rows: int) -> float:
    leaves = 32.0
    if size.text_bytes is not None and size.trees:
        leaves = max(2.0, size.text_bytes / size.trees / _BYTES_PER_LEAF)
    levels = 1.5 * math.log2(leaves)
    return rows * (size.columns * _LIBRARY_VALUE + size.trees * levels * _LIBRARY_LEVEL)


def _engine_seconds(size: Size) -> float:
    rows = math.ceil(size.rows / _BLOCK) * _BLOCK
    work = rows * (size.columns * _ENGINE_VALUE + size.trees * _ENGINE_ROW)
    if size.is_read:
        return work + _library_seconds(size, min(size.rows, REPEATED_ROWS))
    text = size.text_bytes
    reading = size.trees * 32 * _BYTES_PER_LEAF * _WRITE_BYTE if text is None else text * _READ_BYTE
    compared = _library_seconds(size, min(size.rows, SAMPLE_ROWS))
    return _ENGINE_START + reading + work + compared
