"""The status of each isolation layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layers:
    """The layers by name: what each engaged one does, and why each missing one is missing.

    `unavailable` are optional layers that the machine does not allow, with the reason: no run
    requires them, because the required layers deny the same.
    """

    engaged: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)

    def with_more(self, others: Layers) -> Layers:
        """These layers, then the others."""
        return Layers(
            {**self.engaged, **others.engaged},
            {**self.missing, **others.missing},
            {**self.unavailable, **others.unavailable},
        )

    def as_record(self) -> dict[str, str]:
        """One entry per layer, as the result record has them."""
        missing = {name: f"missing: {reason}" for name, reason in self.missing.items()}
        others = {name: f"not available: {why}" for name, why in self.unavailable.items()}
        return {**self.engaged, **missing, **others}
