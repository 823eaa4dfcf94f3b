"""Limits of the submission gates: no pandas, for the account's settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GateLimits:
    """Below which spread, above which exposure, below which coverage nothing is submitted.

    `min_pred_std` is of the predictions as they are, `max_abs_exposure` an absolute
    Pearson correlation with a feature, `min_coverage` a share of the live ids.
    """

    min_pred_std: float = 1e-6
    max_abs_exposure: float = 0.30
    min_coverage: float = 1.0
