"""Which column holds the predictions: one rule for supervisor and model process."""

from __future__ import annotations

from collections.abc import Sequence

PREDICTION_COLUMNS = ("prediction", "probability")


def prediction_column(columns: Sequence[str]) -> int | None:
    """The position of the prediction column, `None` if it is ambiguous.

    It is the only column named `prediction`, else the only one named `probability`, else a single
    column of any name.
    """
    for name in PREDICTION_COLUMNS:
        if (count := columns.count(name)) > 0:
            return columns.index(name) if count == 1 else None
    return 0 if len(columns) == 1 else None
