"""What became of each layer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Layers:
    """What each layer does, or why it is missing; one of the two for each."""

    engaged: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def with_more(self, others: Layers) -> Layers:
        """These layers and the others."""
        return Layers({**self.engaged, **others.engaged}, {**self.missing, **others.missing})
