"""What the differences to the model in production must show before another one replaces it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pandas as pd

from numerai_predict.diagnostics.comparison import ModelComparison
from numerai_predict.diagnostics.comparison_conclusion import conclude
from numerai_predict.pages.formats import format_interval
from numerai_predict.scoring.intervals import CONFIDENCE, Interval
from numerai_predict.scoring.score_summary import interval_of_mean


class Requirement(str, Enum):
    """What must be shown of the model: that it is better, or that it is not worse beyond chance."""

    BETTER = "better"
    NOT_WORSE = "not-worse"


@dataclass(frozen=True)
class PromotionRule:
    """A requirement, and the confidence of the interval that decides it, like 0.95.

    With `BETTER` two models of equal skill are confused in half of 1 - confidence: those intervals
    lie above 0 by chance. `make simulations` measures it.
    """

    requirement: Requirement = Requirement.BETTER
    confidence: float = CONFIDENCE

    def allows(self, differences: pd.Series[float], overlap: int) -> bool:
        """Whether scores less those of the model in production, by era, meet the requirement.

        `overlap` is the number of neighbouring eras whose targets share time.
        """
        return self._is_met_by(interval_of_mean(differences, overlap, self.confidence))

    def judge(self, comparison: ModelComparison) -> tuple[bool, str]:
        """Whether the first model may replace the second, and why, in words."""
        conclusion = conclude(comparison)[0]
        differences = comparison.eras.get(comparison.decisive)
        if differences is None:
            return self.requirement is Requirement.NOT_WORSE, conclusion
        interval = interval_of_mean(differences, comparison.overlap.eras, self.confidence)
        required = f"required: {self.requirement.value.replace('-', ' ')}"
        if self.confidence != CONFIDENCE:
            shown = format_interval(interval) if interval else "unknown"
            required += f" with {self.confidence:.0%} confidence, whose interval is {shown}"
        return self._is_met_by(interval), f"{conclusion} ({required})"

    def _is_met_by(self, interval: Interval | None) -> bool:
        if self.requirement is Requirement.BETTER:
            return interval is not None and interval.low > 0
        return interval is None or interval.high >= 0
