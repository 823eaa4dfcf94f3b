"""Limits of the submission gates; imports no pandas, for the account's settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GateLimits:
    """Limits beyond which nothing is submitted.

    `min_pred_std` is the lowest standard deviation of the predictions, `max_abs_exposure` the
    highest absolute Pearson correlation with a feature, `min_coverage` the lowest share of the
    live ids that have a prediction.
    """

    min_pred_std: float = 1e-6
    max_abs_exposure: float = 0.30
    min_coverage: float = 1.0
