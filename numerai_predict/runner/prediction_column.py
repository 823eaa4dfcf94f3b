"""Which column of a returned frame holds the predictions: one rule for child and parent."""

from __future__ import annotations

from collections.abc import Sequence

PREDICTION_COLUMNS = ("prediction", "probability")


def prediction_column(columns: Sequence[str]) -> int | None:
    """The position of the column of predictions, `None` where no column is meant.

    A column `prediction` or else `probability` if there is one such, or one single
    column of any name.
    """
    for name in PREDICTION_COLUMNS:
        if (count := columns.count(name)) > 0:
            return columns.index(name) if count == 1 else None
    return 0 if len(columns) == 1 else None
