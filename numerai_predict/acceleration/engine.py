"""The compiled engine, loaded through ctypes."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numerai_predict.acceleration.build import ENGINE
from numerai_predict.acceleration.tables import NotSupported, NumericTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 3

_REASON_BYTES = 160
_POINTER, _INT64, _INT32, _INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32, ctypes.c_int
_TABLE = (_POINTER, _INT32, _INT64, _INT64, _INT64)
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ne_version": (_INT, ()),
    "ne_free": (None, (_POINTER,)),
    "ne_shape": (_INT, (_POINTER, _POINTER)),
    "ne_read_lightgbm": (
        _POINTER,
        (ctypes.c_char_p, _INT64, _INT64, _INT64, _INT, ctypes.c_char_p),
    ),
    "ne_read_xgboost": (_POINTER, (_POINTER, _INT64, _INT64, _INT64, ctypes.c_char_p)),
    "ne_make_oblivious": (
        _POINTER,
        (_INT32, *[_POINTER] * 5, _INT32, ctypes.c_double, ctypes.c_double, ctypes.c_char_p),
    ),
    "ne_predict": (_INT, (_POINTER, *_TABLE, _INT, _POINTER)),
    "ne_rare_rows": (_INT, (_POINTER, *_TABLE, _INT64, _INT, _POINTER)),
}


# An image has an engine of its own. The package that is mounted into a container may come from a
# machine without a compiler, or with a newer C library.
_IMAGE_ENGINE = Path(sys.prefix, "share/numerai-predict/numerai_predict/acceleration", ENGINE.name)


@functools.lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """The compiled engine; `None` where it is not built, or built for another machine."""
    return _load(ENGINE) or _load(_IMAGE_ENGINE)


def _load(path: Path) -> ctypes.CDLL | None:
    try:
        loaded = ctypes.CDLL(str(path))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return loaded if loaded.ne_version() == VERSION else None


def _required() -> ctypes.CDLL:
    loaded = library()
    if loaded is None:
        raise NotSupported("the engine is not built")
    return loaded


class Forest:
    """Trees in the engine's memory.

    `single`: sums are float32. `shape` has the numbers of trees, outputs, features, distinct
    decisions, nodes and leaves.
    """

    def __init__(self, pointer: int, *, single: bool = False) -> None:
        self._pointer = pointer
        self.single = single
        shape = (ctypes.c_int64 * 6)()
        _required().ne_shape(pointer, shape)
        self.trees, self.outputs, self.features, self.slots, self.nodes, self.leaves = shape

    def __del__(self) -> None:
        pointer, self._pointer = getattr(self, "_pointer", 0), 0
        if pointer and (loaded := library()) is not None:
            loaded.ne_free(pointer)

    def predict(self, table: NumericTable, threads: int = 1) -> NDArray[Any]:
        """Predictions of shape (rows, outputs), float64, or float32 where sums are `single`.

        Raises:
            NotSupported: the table has too few columns, or the memory does not suffice.
        """
        import numpy as np

        self._require_columns(table)
        out = np.empty((table.rows, self.outputs), np.float32 if self.single else np.float64)
        if _required().ne_predict(*self._arguments(table), threads, out.ctypes.data):
            raise NotSupported("too little memory")
        return out

    def rare_rows(self, table: NumericTable, first: int, count: int) -> NDArray[Any]:
        """Rows among the 512 from `first` on that reach rare leaves of `count` trees.

        Raises:
            NotSupported: as `predict`.
        """
        import numpy as np

        self._require_columns(table)
        if not self.trees or not 0 <= first < table.rows:
            return np.empty(0, np.int64)
        chosen = np.empty(count, np.int64)
        if _required().ne_rare_rows(*self._arguments(table), first, count, chosen.ctypes.data):
            raise NotSupported("too little memory")
        return chosen

    def _require_columns(self, table: NumericTable) -> None:
        if table.columns < self.features:
            raise NotSupported("fewer columns than the model has features")

    def _arguments(self, table: NumericTable) -> tuple[Any, ...]:
        values = table.values
        return (self._pointer, values.ctypes.data, table.type, table.rows, *values.strides)


def read_lightgbm(text: str, start: int, iterations: int, *, raw_score: bool) -> Forest:
    """The forest of a LightGBM model's text.

    Args:
        text: what `Booster.model_to_string` returns.
        start: the first iteration.
        iterations: how many; all from there on if not positive.
        raw_score: leave out the objective's transformation.

    Raises:
        NotSupported: the engine cannot read it; the message is the reason.
    """
    loaded = _required()
    reason = ctypes.create_string_buffer(_REASON_BYTES)
    body = text.encode()
    pointer = loaded.ne_read_lightgbm(body, len(body), start, iterations, raw_score, reason)
    if not pointer:
        raise NotSupported(reason.value.decode(errors="replace") or "it cannot be read")
    return Forest(pointer)


def read_xgboost(model: bytearray, begin: int, end: int) -> Forest:
    """The forest of an XGBoost model.

    Args:
        model: what `Booster.save_raw("ubj")` returns.
        begin: the first iteration.
        end: the one behind the last; 0 for all.

    Raises:
        NotSupported: the engine cannot read it; the message is the reason.
    """
    loaded = _required()
    reason = ctypes.create_string_buffer(_REASON_BYTES)
    body = (ctypes.c_char * len(model)).from_buffer(model)
    pointer = loaded.ne_read_xgboost(ctypes.addressof(body), len(model), begin, end, reason)
    if not pointer:
        raise NotSupported(reason.value.decode(errors="replace") or "it cannot be read")
    return Forest(pointer, single=True)


@dataclass(frozen=True)
class ObliviousTrees:
    """Trees with one decision per level; nodes and leaves of all trees follow each other.

    `first_node` and `first_leaf` (int64, one more than trees) are where each tree begins,
    `feature` (int32) and `threshold` (float64) its decisions from the lowest bit of the leaf's
    number on: whether a value is above the threshold. `leaf` is float64. The prediction is
    `scale` times the sum of leaves, plus `bias`.
    """

    first_node: NDArray[Any]
    feature: NDArray[Any]
    threshold: NDArray[Any]
    first_leaf: NDArray[Any]
    leaf: NDArray[Any]
    features: int
    scale: float
    bias: float


def make_oblivious(trees: ObliviousTrees) -> Forest:
    """The forest of trees with one decision per level.

    Raises:
        NotSupported: they are invalid; the message is the reason.
    """
    import numpy as np

    first, last = trees.first_node, trees.first_leaf
    if first[-1] != len(trees.feature) or last[-1] != len(trees.leaf):
        raise NotSupported("its trees are invalid")
    reason = ctypes.create_string_buffer(_REASON_BYTES)
    kinds = (np.int64, np.int64, np.int32, np.float64, np.float64)
    values = (first, last, trees.feature, trees.threshold, trees.leaf)
    arrays = [np.ascontiguousarray(each, kind) for each, kind in zip(values, kinds, strict=True)]
    pointers = [each.ctypes.data for each in arrays]
    numbers = (trees.features, trees.scale, trees.bias)
    pointer = _required().ne_make_oblivious(len(first) - 1, *pointers, *numbers, reason)
    if not pointer:
        raise NotSupported(reason.value.decode(errors="replace") or "it cannot be read")
    return Forest(pointer)


def thread_count(requested: object = None) -> int:
    """How many threads to use: as requested, by `OMP_NUM_THREADS`, or one per usable CPU."""
    usable = len(os.sched_getaffinity(0))
    for value in (requested, os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]):
        text = str(value)
        if text.isdecimal() and int(text) > 0:
            return min(int(text), usable)
    return usable
