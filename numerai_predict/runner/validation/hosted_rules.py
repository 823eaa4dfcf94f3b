"""What hosted compute would refuse of predictions that are valid here.

It requires a DataFrame itself, without NaN anywhere, whose first column is within [0, 1], and
uploads it as it is: the header must be `id,prediction` or `id,probability`.
"""

from __future__ import annotations

from collections.abc import Callable

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.validation.prediction_column import PREDICTION_COLUMNS
from numerai_predict.runner.validation.predictions import UNKNOWN, Predictions


def prediction_reasons(predictions: Predictions) -> list[str]:
    """Why hosted compute would refuse predictions that are valid here; empty if it would not."""
    return [reason for rule in _RULES if (reason := rule(predictions))]


def _is_a_subclass(predictions: Predictions) -> str | None:
    if not predictions.form.subclass:
        return None
    return f"a {one_line(predictions.form.subclass)}, which is a subclass of DataFrame"


def _names_the_index_otherwise(predictions: Predictions) -> str | None:
    name = predictions.form.index_name
    if name == "id":
        return None
    found = f"named {one_line(name)!r}" if name else "without a name"
    return f"an index {found}, not `id`"


def _has_other_columns(predictions: Predictions) -> str | None:
    others = len(predictions.columns) - 1
    if not others:
        return None
    first = "" if predictions.form.position == 0 else ", which is not the first"
    nan = ", with NaN in them" if predictions.form.nan_elsewhere else ""
    return f"{others} other column(s) beside the prediction column{first}{nan}"


def _names_the_column_otherwise(predictions: Predictions) -> str | None:
    form = predictions.form
    if form.column_is_text and form.column in PREDICTION_COLUMNS:
        return None
    return f"a column named {one_line(form.column)!r}, not `prediction`"


def _is_stored_by_arrow(predictions: Predictions) -> str | None:
    if not predictions.form.is_arrow:
        return None
    return f"a column of dtype {one_line(predictions.form.dtype)}, not of NumPy floats"


def _has_bad_values_in_dropped_rows(predictions: Predictions) -> str | None:
    rows = zip(predictions.positions, predictions.values, strict=True)
    count = sum(1 for at, value in rows if at == UNKNOWN and not 0 <= value <= 1)
    return f"{count} dropped row(s) with NaN or a value outside 0 to 1" if count else None


def _exceeds_the_range(predictions: Predictions) -> str | None:
    count = sum(1 for _, value in predictions.live_values if not 0 <= value <= 1)
    if not count:
        return None
    was_clipped = all(0 <= value <= 1 for value in predictions.in_live_order())
    clipping = ", clipped here" if was_clipped else ""
    return f"{count} prediction(s) outside 0 to 1 by a rounding error{clipping}"


_RULES: tuple[Callable[[Predictions], str | None], ...] = (
    _is_a_subclass,
    _names_the_index_otherwise,
    _has_other_columns,
    _names_the_column_otherwise,
    _is_stored_by_arrow,
    _has_bad_values_in_dropped_rows,
    _exceeds_the_range,
)
