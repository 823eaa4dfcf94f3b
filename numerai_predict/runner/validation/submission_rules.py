"""The tournament's rules for a submission, one function each.

Together they decide as `numerai_tools.submissions.validate_submission_numerai` (0.7.2) decides on
the ids and the column of predictions. Unlike it they report all broken rules at once, each with
a count and example ids.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from numerai_predict.contract.errors import InvalidPredictions
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.validation.hosted_signature import misplaced_parameter_hint
from numerai_predict.runner.validation.prediction_column import PREDICTION_COLUMNS
from numerai_predict.runner.validation.predictions import UNKNOWN, Predictions

_MAX_EXAMPLES = 5
_MAX_EXAMPLE_CHARACTERS = 100
# The tolerances of numpy.isclose, which the tournament uses.
_ABSOLUTE = 1e-8
_RELATIVE = 1e-5


@dataclass(frozen=True)
class Problem:
    """One broken rule: what was found, and what to do next."""

    found: str
    remedy: str


def check(predictions: Predictions, *, equal_allowed: bool = False) -> None:
    """Accept what the tournament accepts; with `equal_allowed` also predictions that are equal.

    Raises:
        InvalidPredictions: at least one rule is broken; the message has a line for each.
    """
    rules = [rule for rule in RULES if not (equal_allowed and rule is is_not_constant)]
    problems = [problem for rule in rules if (problem := rule(predictions))]
    if not problems:
        return
    if len(problems) == 1:
        message = f"expected a valid submission, found {problems[0].found}"
    else:
        lines = [f"  - {problem.found}" for problem in problems]
        title = f"expected a valid submission, found {len(problems)} problems"
        message = "\n".join([title, *lines])
    if predictions.form.misplaced:
        title, newline, details = message.partition("\n")
        hint = misplaced_parameter_hint(one_line(predictions.form.misplaced))
        message = f"{title}; {hint}{newline}{details}"
    remedies = dict.fromkeys(problem.remedy for problem in problems)
    raise InvalidPredictions(message, "; ".join(remedies))


def warnings(predictions: Predictions) -> list[str]:
    """What is dropped from accepted predictions, as messages."""
    found = []
    if others := predictions.column_count - 1:
        found.append(f"dropped {others:,} other column(s); kept {predictions.columns[0]!r}")
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
        f"{predictions.type} instead of a DataFrame",
        "return a DataFrame: pd.DataFrame({'prediction': values}, index=live_features.index)",
    )


def is_not_empty(predictions: Predictions) -> Problem | None:
    """The DataFrame has rows."""
    if predictions.type != "DataFrame" or predictions.rows:
        return None
    return Problem("a DataFrame without rows", "return one row for every id of live_features")


def has_a_column_of_predictions(predictions: Predictions) -> Problem | None:
    """One column is the prediction column."""
    if predictions.type != "DataFrame" or predictions.column_chosen:
        return None
    for name in PREDICTION_COLUMNS:
        if (count := predictions.columns.count(name)) > 1:
            more = " or more" * (predictions.column_count > len(predictions.columns))
            return Problem(
                f"{count}{more} columns named {name}",
                "return one column: for example the first, "
                "predictions.loc[:, ~predictions.columns.duplicated()]",
            )
    return Problem(
        f"{predictions.column_count:,} columns ({_names(predictions.columns)}) of which not "
        "exactly one is named prediction or probability",
        "name the column `prediction`",
    )


def holds_numbers(predictions: Predictions) -> Problem | None:
    """The column is numeric."""
    if not predictions.texts:
        return None
    examples = ", ".join(
        repr(one_line(text, _MAX_EXAMPLE_CHARACTERS)) for text in predictions.texts[:_MAX_EXAMPLES]
    )
    dtype = one_line(predictions.form.dtype)
    if dtype.removeprefix("object (") != "str)" and dtype not in ("float64", "string", "str"):
        return Problem(
            f"a column of dtype {dtype}, expected float64: values such as {examples}",
            "return numbers: frame['prediction'].astype('float64')",
        )
    return Problem(
        f"values that are not numbers, such as {examples}",
        "return numbers: frame['prediction'].astype(float)",
    )


def has_no_missing_index(predictions: Predictions) -> Problem | None:
    """Every row has an id."""
    count = predictions.ids.count(None)
    return Problem(f"{count} row(s) without an id", _KEEP_INDEX) if count else None


def covers_every_live_id(predictions: Predictions) -> Problem | None:
    """No live id is missing."""
    if not predictions.column_chosen or not predictions.rows:
        return None
    missing = _live_ids(predictions, lambda rows: rows == 0)
    if not missing:
        return None
    expected = len(predictions.live_ids)
    if len(missing) < expected:
        return Problem(
            f"{len(missing)} of {expected} live ids missing{_examples(missing)}",
            "return a row for every id of live_features: drop none",
        )
    return _without_live_ids(predictions, expected)


def _without_live_ids(predictions: Predictions, expected: int) -> Problem:
    found = f"none of the {expected} live ids"
    if "id" in predictions.columns:
        return Problem(
            f"{found} in the index: the ids are in the column `id`",
            'make it the index: predictions.set_index("id")',
        )
    if predictions.form.index_type == "MultiIndex":
        names = one_line(predictions.form.index_name) or "names"
        return Problem(
            f"{found}: the index is a MultiIndex of {names}",
            'keep only the ids: predictions.set_index(predictions.index.get_level_values("id"))',
        )
    if predictions.form.index_type == "bytes":
        return Problem(
            f"{found}: the index holds bytes, expected str",
            "decode them: predictions.index = predictions.index.map(bytes.decode)",
        )
    return Problem(
        f"{found}; the index holds {_names(map(str, predictions.ids))}",
        _KEEP_INDEX,
    )


def has_each_live_id_once(predictions: Predictions) -> Problem | None:
    """No live id is repeated."""
    repeated = _live_ids(predictions, lambda rows: rows > 1)
    if not repeated:
        return None
    return Problem(
        f"{len(repeated)} live id(s) more than once{_examples(repeated)}",
        "keep one row per id: predictions[~predictions.index.duplicated()]",
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
    """The predictions differ: their standard deviation (ddof 1) is above zero."""
    values = [value for _, value in predictions.live_values if math.isfinite(value)]
    if not are_equal(values):
        return None
    if min(values) < max(values):
        return Problem(
            f"predictions whose standard deviation, {standard_deviation(values):.3g}, is "
            f"practically zero: the "
            f"tournament expects more than {_ABSOLUTE:g}",
            "find out why the predictions hardly differ, or rank them: rank(pct=True)",
        )
    return Problem(
        f"the same value, {values[0]:g}, in every row",
        "find out why all rows look the same to the model: constant inputs, or an untrained model",
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

_KEEP_INDEX = "keep the index of live_features: pd.DataFrame(..., index=live_features.index)"
_RANK = "scale the predictions to 0 to 1, for example with rank(pct=True)"


def are_equal(values: Sequence[float]) -> bool:
    """Whether finite predictions are equal as far as the tournament can tell.

    A single row has no standard deviation: the tournament accepts it.
    """
    if len(values) < 2:
        return False
    deviation = standard_deviation(values)
    return not deviation > _ABSOLUTE + _RELATIVE * deviation


def standard_deviation(values: Sequence[float]) -> float:
    """The standard deviation with ddof 1, as in pandas, of at least two values."""
    mean = math.fsum(value / len(values) for value in values)
    deviations = [value - mean for value in values]
    largest = max(map(abs, deviations)) or 1.0  # scaled, because squares of huge numbers overflow
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


def _live_ids(predictions: Predictions, condition: Callable[[int], bool]) -> list[str]:
    """The live ids whose number of rows meets the condition."""
    rows = zip(predictions.live_ids, predictions.rows_per_live_id, strict=True)
    return [live_id for live_id, count in rows if condition(count)]


def _examples(ids: Iterable[str | None]) -> str:
    return f" (such as {_names(str(i) for i in ids)})"


def _names(names: Iterable[str]) -> str:
    shown = [one_line(name, _MAX_EXAMPLE_CHARACTERS) for name in islice(names, _MAX_EXAMPLES + 1)]
    return ", ".join(shown[:_MAX_EXAMPLES]) + (", ..." if len(shown) > _MAX_EXAMPLES else "")
