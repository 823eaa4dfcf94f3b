"""Limits of the submission gates. Imports no pandas, so that settings are read quickly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class GateLimits:
    """Limits beyond which nothing is submitted.

    `min_pred_std` is the lowest standard deviation of the predictions' ranks, scaled to 0 to 1;
    `max_tied_share` the highest share of equal predictions; `max_abs_exposure` the highest
    absolute correlation of the ranks with a feature, for data with so many rows that chance stays
    below it, and `exposure_by_model` that of single models, by name; `min_coverage` the lowest
    share of the live ids that have a prediction.
    """

    min_pred_std: float = 1e-6
    max_abs_exposure: float = 0.30
    min_coverage: float = 1.0
    max_tied_share: float = 0.9
    exposure_by_model: Mapping[str, float] = field(default_factory=dict)

    def of_model(self, name: str) -> GateLimits:
        """The limits for the model of this name."""
        limit = self.exposure_by_model.get(name, self.max_abs_exposure)
        return replace(self, max_abs_exposure=limit)

    def exposure_limit(self, by_chance: float) -> float:
        """The highest exposure allowed, where noise reaches `by_chance`."""
        return max(self.max_abs_exposure, by_chance)


@dataclass(frozen=True)
class GateFigure:
    """What a gate measured, and its limit: the highest value allowed, or the lowest."""

    value: float
    limit: float
    is_highest: bool = True

    def __str__(self) -> str:
        side = "most" if self.is_highest else "least"
        return f"{self.value:.4g} of at {side} {self.limit:.4g}"


def format_figures(figures: Mapping[str, GateFigure]) -> str:
    """The figures in one line, like `tied 0.001 of at most 0.9, coverage 1 of at least 1`."""
    return ", ".join(f"{name} {figure}" for name, figure in figures.items())


def parse_exposure_limits(text: str) -> tuple[float, dict[str, float]]:
    """The limit of all models and those of single ones, from `0.3` or `0.3, my_model=0.5`.

    Raises:
        ValueError: the text has another form, or a limit is not above 0.
    """
    default, by_model = GateLimits.max_abs_exposure, {}
    for part in text.split(","):
        name, equals, number = part.rpartition("=")
        limit = float(number)
        if not limit > 0 or (equals and not name.strip()):
            raise ValueError(f"expected limits above 0 like 0.3, my_model=0.5, found {part!r}")
        if equals:
            by_model[name.strip()] = limit
        else:
            default = limit
    return default, by_model
