"""The events of the models in a store: each in a file whose name is its number.

Whatever else is there is no event: it is refused by its name, and never takes an event's place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.registry_errors import RegistryUnavailable
from numerai_predict.registry.event_schema import MAX_EVENT_BYTES, parse_event
from numerai_predict.registry.events import RegistryEvent
from numerai_predict.registry.history import ModelHistory
from numerai_predict.registry.reference import is_name
from numerai_predict.registry.store import Store

_MODELS, _EVENTS = "models/", "/events/"
# How long the next event is tried again while its name exists, but is not listed: a network file
# system may list it late.
_UNLISTED_SECONDS, _WAIT_SECONDS = 30.0, 0.1
_MAX_SHOWN = 300
_RESTORE = "restore the file from a backup"


@dataclass(frozen=True)
class EventLog:
    """The events of all models in a store."""

    store: Store

    def models(self) -> list[str]:
        """The names of all models, sorted."""
        names = self.store.names(_MODELS)
        found = {name.removeprefix(_MODELS).partition("/")[0] for name in names}
        return sorted(filter(is_name, found))

    def history(self, name: str) -> ModelHistory:
        """What happened to a model; nothing to one that is not registered.

        Raises:
            RegistryUnavailable: an event cannot be read, or adds a version again.
        """
        names = self.store.names(f"{_MODELS}{name}{_EVENTS}")
        history = ModelHistory(name, [self._event(each) for each in names])
        if again := history.added_again:
            raise RegistryUnavailable(
                f"expected every version of {name} to be added once, found version {again} twice",
                f"{_RESTORE}, without the later event",
            )
        return history

    def append(self, name: str, decide: Callable[[ModelHistory], RegistryEvent]) -> RegistryEvent:
        """Append the event that is decided on the history; again if another process was faster.

        Raises:
            RegistryUnavailable: the event cannot be created.
        """
        event = self.append_unless_refused(name, decide)
        assert event is not None
        return event

    def append_unless_refused(
        self, name: str, decide: Callable[[ModelHistory], RegistryEvent | None]
    ) -> RegistryEvent | None:
        """See `append`; `None` if no event is decided."""
        number, until = 0, 0.0
        while event := decide(self.history(name)):
            path = f"{_MODELS}{name}{_EVENTS}{_file_of(event.number)}"
            if self.store.create(path, event.as_json()):
                return event
            if event.number != number:
                number, until = event.number, time.monotonic() + _UNLISTED_SECONDS
            elif time.monotonic() < until:
                time.sleep(_WAIT_SECONDS)
            else:
                raise RegistryUnavailable(
                    f"expected to create {path} in {self.store}, found something else there",
                    "move it away: only an event can have this name",
                )
        return None

    def _event(self, name: str) -> RegistryEvent:
        try:
            event = parse_event(self.store.read(name, MAX_EVENT_BYTES + 1) or b"")
            if name.rpartition("/")[2] != _file_of(event.number):
                raise ValueError(f"the event of {_file_of(event.number)}")
        except ValueError as error:
            raise RegistryUnavailable(
                f"expected an event in {one_line(name, _MAX_SHOWN)}, found: "
                f"{one_line(error, _MAX_SHOWN)}",
                f"{_RESTORE}: events are never changed",
            ) from None
        return event


def _file_of(number: int) -> str:
    """The file of an event in the directory of the model's events."""
    return f"{number:08}.json"
