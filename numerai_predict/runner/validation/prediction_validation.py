"""Validates predictions as the tournament does, and as hosted compute does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from numerai_predict.contract.errors import InvalidPredictions
from numerai_predict.contract.record import PredictionFacts
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.validation.hosted_signature import as_warning

if TYPE_CHECKING:
    from numerai_predict.runner.validation.predictions import Predictions


@dataclass(frozen=True)
class ValidatedPredictions:
    """Predictions that the tournament accepts: one value per live id, in the order of the ids.

    `std` has ddof 1 and is `None` for a single value; `warnings` name what was dropped, and
    `hosted_reasons` why hosted compute would refuse the predictions.
    """

    ids: tuple[str, ...]
    values: tuple[float, ...]
    std: float | None
    warnings: tuple[str, ...]
    hosted_reasons: tuple[str, ...] = ()

    @property
    def summary(self) -> PredictionFacts:
        """Count, range and standard deviation, as the record has them."""
        return PredictionFacts(
            rows=len(self.values), min=min(self.values), max=max(self.values), std=self.std
        )


def validate(predictions: Predictions) -> ValidatedPredictions:
    """Check the predictions by the tournament's rules and bring them into the live order.

    Raises:
        InvalidPredictions: at least one rule is broken.
    """
    # They import pyarrow, which takes 0.1 s.
    from numerai_predict.runner.validation import hosted_rules, submission_rules

    submission_rules.check(predictions)
    reasons = tuple(hosted_rules.prediction_reasons(predictions))
    values = tuple(predictions.in_live_order())
    std = submission_rules.standard_deviation(values) if len(values) > 1 else None
    warnings = (*submission_rules.warnings(predictions), *map(as_warning, reasons))
    validated = ValidatedPredictions(tuple(predictions.live_ids), values, std, warnings, reasons)
    for warning in warnings:
        log_step("warning", warning)
    summary = validated.summary
    log_step(
        "check", f"{summary.rows:,} predictions, {summary.min:.4f} to {summary.max:.4f}: valid"
    )
    return validated


def require_hosted(predictions: ValidatedPredictions) -> None:
    """Refuse what hosted compute refuses.

    Raises:
        InvalidPredictions: the predictions are valid, in a form that hosted compute refuses.
    """
    if predictions.hosted_reasons:
        raise InvalidPredictions(
            "expected predictions that hosted compute accepts, found "
            + "; ".join(predictions.hosted_reasons),
            "return pd.DataFrame({'prediction': values}, index=live_features.index) with NumPy "
            "floats, clipped to 0 to 1",
        )
