"""The status of each isolation layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layers:
    """The layers by name: what each engaged one does, and why each missing one is missing."""

    engaged: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def with_more(self, others: Layers) -> Layers:
        """These layers, then the others."""
        return Layers({**self.engaged, **others.engaged}, {**self.missing, **others.missing})

    def as_record(self) -> dict[str, str]:
        """One entry per layer, as the result record has them."""
        missing = {name: f"missing: {reason}" for name, reason in self.missing.items()}
        return {**self.engaged, **missing}
