"""The tournament's rules for a submission, as small functions that each know one.

Together they decide as `numerai_tools.submissions.validate_submission_numerai`
(0.7.2) decides on the ids and the column of predictions. Unlike it they name all
that is wrong at once, each with a count and ids to look at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from numerai_predict.contract.errors import InvalidPredictions
from numerai_predict.runner.predictions import UNKNOWN, Predictions

_MOST_EXAMPLES = 5
# The tolerances of numpy.isclose, which the tournament's rules are written with.
_ABSOLUTE = 1e-8
_RELATIVE = 1e-5


@dataclass(frozen=True)
class Problem:
    """One broken rule: what was found, and what to do about it."""

    found: str
    remedy: str


def check(predictions: Predictions) -> None:
    """Accept what the tournament accepts.

    Raises:
        InvalidPredictions: at least one rule is broken; the message has a line
            for each.
    """
    problems = [problem for rule in RULES if (problem := rule(predictions))]
    if not problems:
        return
    if len(problems) == 1:
        message = f"expected a valid submission, found {problems[0].found}"
    else:
        lines = [f"  - {problem.found}" for problem in problems]
        title = f"expected a valid submission, found {len(problems)} things wrong with it"
        message = "\n".join([title, *lines])
    remedies = dict.fromkeys(problem.remedy for problem in problems)
    raise InvalidPredictions(message, "; ".join(remedies))


def warnings(predictions: Predictions) -> list[str]:
    """What is dropped from an accepted answer, in words."""
    found = []
    if others := len(predictions.columns) - 1:
        found.append(f"dropped {others} other column(s); kept {predictions.columns[0]!r}")
    unknown = [
        i for i, p in zip(predictions.ids, predictions.positions, strict=True) if p == UNKNOWN
    ]
    if unknown:
        found.append(f"dropped {len(unknown)} row(s) that are not live{_examples(unknown)}")
    return found


def is_a_dataframe(predictions: Predictions) -> Problem | None:
    """The model returns a pandas DataFrame, nothing else."""
    if predictions.type == "DataFrame":
        return None
    return Problem(
        f"{predictions.type} in place of a DataFrame",
        "return a DataFrame: pd.DataFrame({'prediction': values}, index=live_features.index)",
    )


def is_not_empty(predictions: Predictions) -> Problem | None:
    """The DataFrame has rows."""
    if predictions.type != "DataFrame" or predictions.rows:
        return None
    return Problem("a DataFrame without rows", "return one row for every id of live_features")


def has_a_column_of_predictions(predictions: Predictions) -> Problem | None:
    """It is clear which column is meant."""
    if predictions.type != "DataFrame" or predictions.column_chosen:
        return None
    return Problem(
        f"{len(predictions.columns)} columns ({_names(predictions.columns)}) of which no single "
        "one is named prediction or probability",
        "name the column `prediction`",
    )


def holds_numbers(predictions: Predictions) -> Problem | None:
    """The column is numeric."""
    if not predictions.texts:
        return None
    examples = ", ".join(repr(text) for text in predictions.texts[:_MOST_EXAMPLES])
    return Problem(
        f"values that are no numbers, such as {examples}",
        "return numbers: frame['prediction'].astype(float)",
    )


def has_no_missing_index(predictions: Predictions) -> Problem | None:
    """Every row has an id."""
    count = predictions.ids.count(None)
    return Problem(f"{count} row(s) without an id", _KEEP_THE_INDEX) if count else None


def covers_every_live_id(predictions: Predictions) -> Problem | None:
    """No live id is missing."""
    if not predictions.column_chosen or not predictions.rows:
        return None
    missing = _live_ids(predictions, lambda rows: rows == 0)
    if not missing:
        return None
    asked = len(predictions.live_ids)
    if len(missing) < asked:
        return Problem(
            f"{len(missing)} of {asked} live ids missing{_examples(missing)}",
            "return a row for every id of live_features: none may be dropped",
        )
    return Problem(
        f"none of the {asked} live ids; the index holds {_names(map(str, predictions.ids))}",
        _KEEP_THE_INDEX,
    )


def has_each_live_id_once(predictions: Predictions) -> Problem | None:
    """No live id is there twice."""
    repeated = _live_ids(predictions, lambda rows: rows > 1)
    if not repeated:
        return None
    return Problem(
        f"{len(repeated)} live id(s) more than once{_examples(repeated)}",
        "keep one row an id: predictions[~predictions.index.duplicated()]",
    )


def has_no_nan(predictions: Predictions) -> Problem | None:
    """No prediction is missing."""
    return _bad_values(
        predictions, math.isnan, "NaN", "fill missing values before or after the model: fillna(0.5)"
    )


def is_finite(predictions: Predictions) -> Problem | None:
    """No prediction is infinite."""
    return _bad_values(predictions, math.isinf, "infinite", _RANK)


def lies_between_zero_and_one(predictions: Predictions) -> Problem | None:
    """Every prediction is in [0, 1], within the tournament's tolerance."""
    return _bad_values(predictions, _outside, "outside 0 to 1", _RANK)


def is_not_constant(predictions: Predictions) -> Problem | None:
    """The predictions differ: a standard deviation (ddof 1) of zero says nothing."""
    values = [value for _, value in predictions.live_values if math.isfinite(value)]
    if len(values) < 2:
        return None  # no standard deviation: the tournament lets one row pass
    deviation = standard_deviation(values)
    if deviation > _ABSOLUTE + _RELATIVE * deviation:
        return None
    return Problem(
        f"the same value, {values[0]:g}, in every row",
        "look why the model cannot tell rows apart: constant inputs, or an untrained model",
    )


RULES: tuple[Callable[[Predictions], Problem | None], ...] = (
    is_a_dataframe,
    is_not_empty,
    has_a_column_of_predictions,
    holds_numbers,
    has_no_missing_index,
    covers_every_live_id,
    has_each_live_id_once,
    has_no_nan,
    is_finite,
    lies_between_zero_and_one,
    is_not_constant,
)

_KEEP_THE_INDEX = "keep the index of live_features: pd.DataFrame(..., index=live_features.index)"
_RANK = "bring predictions into 0 to 1, for example by rank(pct=True)"


def standard_deviation(values: Sequence[float]) -> float:
    """The standard deviation with ddof 1, as pandas takes it, of two values or more."""
    mean = math.fsum(value / len(values) for value in values)
    deviations = [value - mean for value in values]
    largest = max(map(abs, deviations)) or 1.0  # squares of huge numbers are none
    squares = math.fsum((deviation / largest) ** 2 for deviation in deviations)
    return largest * math.sqrt(squares / (len(values) - 1))


def _outside(value: float) -> bool:
    return math.isfinite(value) and not -_ABSOLUTE <= value <= 1 + _ABSOLUTE + _RELATIVE


def _bad_values(
    predictions: Predictions,
    is_bad: Callable[[float], bool],
    word: str,
    remedy: str,
) -> Problem | None:
    ids = [live_id for live_id, value in predictions.live_values if is_bad(value)]
    if not ids:
        return None
    return Problem(f"{len(ids)} prediction(s) {word}{_examples(ids)}", remedy)


def _live_ids(predictions: Predictions, has: Callable[[int], bool]) -> list[str]:
    """The live ids whose number of rows is such."""
    rows = zip(predictions.live_ids, predictions.rows_per_live_id, strict=True)
    return [live_id for live_id, count in rows if has(count)]


def _examples(ids: Iterable[str | None]) -> str:
    return f" (such as {_names(str(i) for i in ids)})"


def _names(names: Iterable[str]) -> str:
    shown = list(islice(names, _MOST_EXAMPLES + 1))
    return ", ".join(shown[:_MOST_EXAMPLES]) + (", ..." if len(shown) > _MOST_EXAMPLES else "")
