"""Events of a model: what was done, when, by whom and why. They are never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

_FORM = 1


class EventKind(Enum):
    """What an event did; the values are those of the files."""

    ADDED = "added"
    ALIASED = "aliased"
    ROLLED_BACK = "rolled back"
    TAGGED = "tagged"
    REMOVED = "removed"


@dataclass(frozen=True)
class StoredFile:
    """A file of a version: its hash names its object."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class RegistryEvent:
    """An event of a model's history.

    `number` counts the events of the model from 1. `id` is random: a writer recognises its own
    event by it. `alias` is that of `ALIASED` and `ROLLED_BACK`,
    `files` and `facts` those of `ADDED`, `tags` those of `TAGGED`.
    """

    number: int
    id: str
    kind: EventKind
    time: str
    user: str
    version: int
    alias: str | None = None
    reason: str | None = None
    files: Mapping[str, StoredFile] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """The event as one JSON object."""
        return json.dumps({"form": _FORM, **self.as_dict()}, indent=1).encode()

    def as_dict(self) -> dict[str, Any]:
        """The event as values of JSON."""
        return {**asdict(self), "kind": self.kind.value}
