"""What became of each layer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layers:
    """What each layer does, or why it is missing; one of the two for each."""

    engaged: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def with_more(self, others: Layers) -> Layers:
        """These layers and the others."""
        return Layers({**self.engaged, **others.engaged}, {**self.missing, **others.missing})

    def as_record(self) -> dict[str, str]:
        """One entry per layer, as the result record has them."""
        missing = {name: f"missing: {reason}" for name, reason in self.missing.items()}
        return {**self.engaged, **missing}
