"""The interface of trainers: load rows into a library's data structure, and train a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from numerai_predict.data.era_table import EraTable

# Maximum bytes of int8 features that are read at once, by columns and by rows.
_COLUMNS_BYTES, _ROWS_BYTES = 64 * 1024**2, 256 * 1024**2

# Returns the current predictions of the stopping rows, float64 with shape (rows,).
CurrentPredictions = Callable[[], NDArray[np.float64]]


@dataclass(frozen=True)
class TrainingRows:
    """Selected rows of a history, read in blocks.

    `mask` selects the rows of the history. `target` is float32 with shape (selected rows,),
    without NaN.
    """

    history: EraTable
    mask: NDArray[np.bool_]
    features: Sequence[str]
    target: NDArray[np.float32]

    def column_blocks(self) -> Iterator[tuple[list[str], NDArray[np.int8]]]:
        """Yield some columns of all rows: names, and int8 in Fortran order (rows, names)."""
        width = max(1, _COLUMNS_BYTES // max(1, len(self.target)))
        for start in range(0, len(self.features), width):
            names = list(self.features[start : start + width])
            yield names, self.history.features(names, self.mask)

    def row_blocks(self) -> Iterator[tuple[slice, NDArray[np.int8]]]:
        """Yield all columns of some rows: the rows, and int8 in Fortran order (rows, features)."""
        first = 0
        for mask in era_slices(self.history, self.mask, len(self.features)):
            block = self.history.features(self.features, mask)
            yield slice(first, first + len(block)), block
            first += len(block)


def era_slices(
    history: EraTable, mask: NDArray[np.bool_], features: int
) -> Iterator[NDArray[np.bool_]]:
    """Split the selected rows into masks of whole eras with at most 256 MiB of features each."""
    eras: list[np.int32] = []
    rows = 0
    for era, count in zip(*np.unique(history.eras[mask], return_counts=True), strict=True):
        if eras and (rows + count) * features > _ROWS_BYTES:
            yield mask & np.isin(history.eras, eras)
            eras, rows = [], 0
        eras.append(era)
        rows += count
    if eras:
        yield mask & np.isin(history.eras, eras)


class TrainingObserver(Protocol):
    """Observes a training and decides when it stops."""

    def after_round(
        self, rounds: int, predict: CurrentPredictions | None, last: bool = False
    ) -> bool:
        """Record that `rounds` rounds are finished; returns whether to stop.

        `predict` is `None` without stopping rows. `last` means that the library cannot train
        another round.
        """

    @property
    def best_rounds(self) -> int:
        """The number of rounds that the model should keep."""


class Trainer(Protocol):
    """One library on one device. A neural network's rounds would be its epochs.

    `bytes_per_value` is the memory of the training data at its peak, for each value of a feature
    (bench/trainers.py).
    """

    name: ClassVar[str]
    bytes_per_value: ClassVar[float]
    device: str

    def facts(self) -> dict[str, Any]:
        """Everything that determines the model: parameters, device, library versions."""

    def load(self, rows: TrainingRows) -> Any:
        """The rows in the library's data structure; `fit` may use it several times."""

    def fit(
        self,
        training: Any,
        stopping: Any | None,
        seed: int,
        rounds: int,
        observer: TrainingObserver,
    ) -> bytes:
        """Train at most `rounds` rounds; the model in the format of `predict_template.py`."""
