"""A transform of predictions: blended with the benchmark, neutralized, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from numerai_predict.training.blending.settings import BENCHMARK, Scale


@dataclass(frozen=True)
class BlendTransform:
    """What `predict_template.transform` does with the predictions of an era.

    `neutralize_to` is what the configuration calls it, `features` the names that it stands for,
    none for the benchmark. `neutralize_to` is empty if `share` is 0.
    """

    neutralize_to: str = ""
    features: tuple[str, ...] = ()
    share: float = 0.0
    benchmark_weight: float = 0.0
    scale: Scale = "rank"

    @property
    def changes_nothing(self) -> bool:
        """Whether the predictions stay as they are."""
        return not self.share and not self.benchmark_weight

    @property
    def to_benchmark(self) -> bool:
        """Whether it neutralizes to the benchmark model."""
        return bool(self.share) and self.neutralize_to == BENCHMARK

    @property
    def uses_benchmark(self) -> bool:
        """Whether the function in the bundle needs the benchmark model: two arguments."""
        return self.to_benchmark or bool(self.benchmark_weight)

    def as_spec(self) -> dict[str, Any]:
        """The values that `predict_template.transform` reads."""
        return {
            "share": self.share,
            "to_benchmark": self.to_benchmark,
            "features": list(self.features),
            "benchmark_weight": self.benchmark_weight,
            "scale": self.scale,
            "uses_benchmark": self.uses_benchmark,
        }

    def facts(self) -> dict[str, Any]:
        """The part of a checkpoint's key; empty if nothing is changed."""
        return {} if self.changes_nothing else {"blend": {**asdict(self), "form": 1}}

    def as_entry(self) -> dict[str, Any]:
        """The transform in reports, with the features' names."""
        return {**asdict(self), "features": list(self.features)}

    @property
    def complexity(self) -> tuple[Any, ...]:
        """Sorts transforms: the simplest first."""
        steps = bool(self.share) + bool(self.benchmark_weight)
        return (
            steps,
            self.uses_benchmark,
            self.scale != "rank",
            len(self.features),
            self.share,
            self.benchmark_weight,
            self.neutralize_to,
        )

    def __str__(self) -> str:
        parts = []
        if self.benchmark_weight:
            parts.append(f"{self.benchmark_weight:g} benchmark")
        if self.share:
            parts.append(f"{self.share:g} neutral to {self.neutralize_to}")
        if not parts:
            return "no transform"
        return f"{', '.join(parts)}{', gaussian' if self.scale != 'rank' else ''}"


NO_TRANSFORM = BlendTransform()


def name_of_features(features: str | Sequence[str]) -> str:
    """What a report calls features that are listed by name."""
    return features if isinstance(features, str) else f"{len(features)} listed features"
