"""What a session with a model process needs to know: limits, isolation and names to show."""

from __future__ import annotations

from dataclasses import dataclass, field

from numerai_predict.contract.limits import Limits
from numerai_predict.contract.sandbox import Sandbox


@dataclass(frozen=True)
class SourceLabels:
    """How messages name the model and its data: redacted sources, or a description."""

    model: str
    dataset: str = "the live data"
    benchmarks: str = "the benchmark models"


@dataclass(frozen=True)
class ModelCall:
    """How a model is loaded and called, whatever happens to its predictions afterwards."""

    labels: SourceLabels
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox = Sandbox.AUTO
    debug: bool = False
    hosted: bool = False
    """Whether a model that hosted compute would refuse fails."""
    acceleration: bool = True
    """Whether tree models may be predicted by the engine."""
