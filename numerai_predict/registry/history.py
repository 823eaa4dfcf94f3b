"""A model's history: its events, and the versions and aliases that follow from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from numerai_predict.contract.trained_eras import PICKLE
from numerai_predict.registry.events import EventKind, RegistryEvent


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model: the event that added it, and its tags."""

    added: RegistryEvent
    tags: dict[str, str]

    @property
    def number(self) -> int:
        """The version's number, from 1."""
        return self.added.version

    @property
    def pickle(self) -> str:
        """The name of its pickle: `model.pkl`, or with the suffix of its compression."""
        return next(name for name in self.added.files if name.startswith(PICKLE))

    @property
    def bytes(self) -> int:
        """The size of its pickle."""
        return self.added.files[self.pickle].bytes


@dataclass(frozen=True)
class ModelHistory:
    """The events of a model, in their order; none for a model that is not registered."""

    name: str
    events: Sequence[RegistryEvent]

    @cached_property
    def versions(self) -> dict[int, ModelVersion]:
        """The versions that are not removed, by number."""
        found: dict[int, ModelVersion] = {}
        for event in self.events:
            known = found.get(event.version)
            if event.kind is EventKind.ADDED:
                found[event.version] = ModelVersion(event, {})
            elif event.kind is EventKind.REMOVED:
                found.pop(event.version, None)
            elif event.kind is EventKind.TAGGED and known is not None:
                tags = {**known.tags, **event.tags}
                found[event.version] = ModelVersion(known.added, tags)
        return found

    @property
    def added_again(self) -> int | None:
        """The number of a version that was added twice, which no writer of events does."""
        added = Counter(event.version for event in self.events if event.kind is EventKind.ADDED)
        return next((number for number, times in added.items() if times > 1), None)

    @cached_property
    def earlier_versions(self) -> dict[str, list[int]]:
        """The versions that each alias had, oldest first; the last is the current one.

        A rollback takes the last one away.
        """
        found: dict[str, list[int]] = {}
        for event in self.events:
            numbers = found.setdefault(event.alias, []) if event.alias else []
            if event.kind is EventKind.ALIASED and numbers[-1:] != [event.version]:
                numbers.append(event.version)
            elif event.kind is EventKind.ROLLED_BACK:
                del numbers[-1:]
        return found

    @property
    def aliases(self) -> dict[str, int]:
        """The version's number by alias."""
        return {alias: numbers[-1] for alias, numbers in self.earlier_versions.items() if numbers}

    @property
    def newest(self) -> int:
        """The number of the newest version, also of a removed one; 0 without any."""
        return max((event.version for event in self.events), default=0)

    def aliases_of(self, version: int) -> list[str]:
        """The aliases of a version."""
        return sorted(alias for alias, number in self.aliases.items() if number == version)

    def is_needed(self, version: int) -> bool:
        """Whether an alias names the version, or named it before and a rollback may lead to it."""
        return any(version in numbers for numbers in self.earlier_versions.values())
