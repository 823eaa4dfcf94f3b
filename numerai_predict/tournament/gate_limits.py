"""Limits of the submission gates; imports no pandas, for the account's settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GateLimits:
    """Limits beyond which nothing is submitted.

    `min_pred_std` is the lowest standard deviation of the predictions' ranks, scaled to 0 to 1;
    `max_tied_share` the highest share of equal predictions; `max_abs_exposure` the highest
    absolute correlation of the ranks with a feature, for data with so many rows that chance stays
    below it; `min_coverage` the lowest share of the live ids that have a prediction.
    """

    min_pred_std: float = 1e-6
    max_abs_exposure: float = 0.30
    min_coverage: float = 1.0
    max_tied_share: float = 0.9

    def exposure_limit(self, by_chance: float) -> float:
        """The highest exposure allowed, where noise reaches `by_chance`."""
        return max(self.max_abs_exposure, by_chance)
