"""Compares the engine with the library on a sample of rows, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numerai_predict.acceleration.engine import Forest
from numerai_predict.acceleration.tables import NotSupported, NumericTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_ROWS = 256
REPEATED_ROWS = 16  # of calls after the first

# Half of the sample reaches rare leaves, half is spread over all rows.
_RARE_ROWS = SAMPLE_ROWS // 2


def sample_rows(forest: Forest, table: NumericTable, *, first_call: bool) -> NDArray[Any]:
    """The rows to compare, sorted: all of a small table, at least 256 at the first call.

    Rows of two blocks that reach rare leaves of trees all over the forest, and evenly spaced ones.
    """
    import numpy as np

    rows = table.rows
    if not first_call:
        return np.unique(np.linspace(0, rows - 1, min(rows, REPEATED_ROWS)).astype(np.int64))
    if rows <= SAMPLE_ROWS:
        return np.arange(rows)
    blocks = (0, rows // 2)
    rare = [forest.rare_rows(table, first, _RARE_ROWS // len(blocks)) for first in blocks]
    chosen = np.unique(np.concatenate(rare))
    missing = SAMPLE_ROWS - len(chosen)
    others = np.setdiff1d(np.arange(rows), chosen, assume_unique=True)
    spread = others[np.linspace(0, len(others) - 1, missing).astype(np.int64)]
    return np.sort(np.concatenate([chosen, spread]))


def require_equal(
    found: NDArray[Any], rows: NDArray[Any], library: Callable[[NDArray[Any]], Any]
) -> None:
    """Compare the predictions of the sample with those of the library.

    Args:
        found: the engine's predictions of all rows, as they will be returned.
        rows: the numbers of the rows to compare.
        library: predicts the rows of these numbers.

    Raises:
        NotSupported: they differ in a bit, in shape or in type.
    """
    import numpy as np

    expected = library(rows)
    if type(expected) is not np.ndarray or expected.dtype != found.dtype:
        raise NotSupported("the library returns another type")
    selected = found[rows]
    if selected.shape != expected.shape or selected.tobytes() != expected.tobytes():
        raise NotSupported("its predictions differ from the library's")
