"""What a trainer is: it loads rows in its own form, and makes a model of them round by round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from numerai_predict.data.era_table import History

# Of int8 features that are on their way at a time, by columns and by rows.
_COLUMNS_BYTES, _ROWS_BYTES = 64 * 1024**2, 256 * 1024**2

# Predictions of the stopping rows at this moment, float64 with shape (rows,).
CurrentPredictions = Callable[[], NDArray[np.float64]]


@dataclass(frozen=True)
class TrainingRows:
    """Chosen rows of a history, to be read in blocks; `target` is float32, without NaN."""

    history: History
    mask: NDArray[np.bool_]
    features: Sequence[str]
    target: NDArray[np.float32]

    def column_blocks(self) -> Iterator[tuple[list[str], NDArray[np.int8]]]:
        """Some columns of all rows at a time: their names, and int8 in Fortran's order."""
        width = max(1, _COLUMNS_BYTES // max(1, len(self.target)))
        for start in range(0, len(self.features), width):
            names = list(self.features[start : start + width])
            yield names, self.history.features(names, self.mask)

    def row_blocks(self) -> Iterator[tuple[slice, NDArray[np.int8]]]:
        """All columns of some rows at a time: which rows, and int8 in Fortran's order."""
        first = 0
        for mask in era_slices(self.history, self.mask, len(self.features)):
            block = self.history.features(self.features, mask)
            yield slice(first, first + len(block)), block
            first += len(block)


def era_slices(
    history: History, mask: NDArray[np.bool_], features: int
) -> Iterator[NDArray[np.bool_]]:
    """The chosen rows in parts of whole eras, as few as keep a part's features small."""
    part: list[np.int32] = []
    rows = 0
    for era, count in zip(*np.unique(history.eras[mask], return_counts=True), strict=True):
        if part and (rows + count) * features > _ROWS_BYTES:
            yield mask & np.isin(history.eras, part)
            part, rows = [], 0
        part.append(era)
        rows += count
    if part:
        yield mask & np.isin(history.eras, part)


class TrainingObserver(Protocol):
    """Whoever follows a training and decides when it has gone on for long enough."""

    def after(self, rounds: int, now: CurrentPredictions | None, last: bool = False) -> bool:
        """So many rounds are done; whether it is time to stop.

        `now` is there where the training has stopping rows; after the `last` round there is
        nothing more to learn.
        """

    @property
    def chosen(self) -> int:
        """The rounds that the model should have."""


class Trainer(Protocol):
    """One library. A neural network's rounds would be its epochs."""

    name: ClassVar[str]
    device: str

    def facts(self) -> dict[str, Any]:
        """All that decides what comes out: parameters, device, versions of libraries."""

    def load(self, rows: TrainingRows) -> Any:
        """The rows as the library wants them; `fit` takes them, more than once."""

    def fit(
        self, training: Any, stopping: Any | None, seed: int, rounds: int, watch: TrainingObserver
    ) -> bytes:
        """A model of at most that many rounds, in the form that `template.py` reads."""
