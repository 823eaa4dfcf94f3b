"""What predicted the tree models of a run: the engine or their libraries, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

MAX_REASONS = 10


class Used(str, Enum):
    """What predicted; the later one of two describes both."""

    LIBRARY = "library"  # by choice: faster for this size, or the engine is off or not built
    ENGINE = "engine"
    FALLBACK = "fallback"  # the engine cannot predict this, or did not predict the same


_ORDER = list(Used)


@dataclass
class Usage:
    """Collects what predicted; `used` is `None` until a tree model predicted."""

    used: Used | None = None
    reasons: list[str] = field(default_factory=list)

    def add(self, used: Used, library: str, reason: str) -> None:
        """Receive how a model of a library was predicted."""
        if self.used is None or _ORDER.index(used) > _ORDER.index(self.used):
            self.used = used
        text = f"{library}: {used.value}, {reason}"
        if text not in self.reasons and len(self.reasons) < MAX_REASONS:
            self.reasons.append(text)
