"""Estimates whether the engine or the library predicts a model sooner."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numerai_predict.acceleration.verification import REPEATED_ROWS, SAMPLE_ROWS

# Seconds on one core, measured with bench/trees.py.
_LIBRARY_VALUE = 2e-9  # the library converts every value of the input
_LIBRARY_LEVEL = 8e-9  # a row goes down one level of a tree
_ENGINE_START = 1e-3  # load the engine, choose the sample
_ENGINE_VALUE = 1e-9
_ENGINE_ROW = 4e-9  # a row of one tree
_BLOCK = 512  # rows; a part of a block costs as much as a whole one


@dataclass(frozen=True)
class Size:
    """The size of a prediction.

    A row goes down about `levels` of each tree. To read the model takes about `read_seconds`, 0
    where the engine holds it already.
    """

    rows: int
    columns: int
    trees: int
    levels: float
    read_seconds: float


def engine_is_faster(size: Size) -> bool:
    """Whether the engine, with all that it needs first, is estimated to take less time."""
    return _engine_seconds(size) < _library_seconds(size, size.rows)


def _library_seconds(size: Size, rows: int) -> float:
    return rows * (size.columns * _LIBRARY_VALUE + size.trees * size.levels * _LIBRARY_LEVEL)


def _engine_seconds(size: Size) -> float:
    rows = math.ceil(size.rows / _BLOCK) * _BLOCK
    work = rows * (size.columns * _ENGINE_VALUE + size.trees * _ENGINE_ROW)
    first = size.read_seconds > 0
    compared = _library_seconds(size, min(size.rows, SAMPLE_ROWS if first else REPEATED_ROWS))
    return work + compared + size.read_seconds + _ENGINE_START * first
