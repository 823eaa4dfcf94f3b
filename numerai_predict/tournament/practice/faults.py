"""Faults that the practice server can inject, one kind at a time."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import asdict, dataclass, replace
from enum import Enum

from numerai_predict.tournament.practice.store import PracticeStore

_SETTING = "fault"


class FaultKind(str, Enum):
    """What a faulty request gets; the values are those of the command line."""

    SERVER_ERROR = "5xx"  # HTTP 503
    SLOW = "slow"  # the response, after some seconds
    GRAPHQL_ERROR = "graphql"  # an error of the API
    INVALID_SESSION = "session"  # the API's error of an invalid session
    LOST_RESPONSE = "lost"  # the request takes effect, and the response is HTTP 502


class FaultEndpoint(str, Enum):
    """The requests that a fault applies to; the values are those of the command line."""

    GRAPHQL = "graphql"
    UPLOAD = "upload"
    DATA = "data"


@dataclass(frozen=True)
class Fault:
    """A kind of fault for a `share` of the requests, or for the next `count` of them.

    `place` is the endpoint, `None` for every one. `contains` limits it to GraphQL requests
    whose text contains it. `seconds` is the delay of `slow`.
    """

    kind: FaultKind
    share: float = 1.0
    count: int | None = None
    place: FaultEndpoint | None = None
    contains: str = ""
    seconds: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", _parse(FaultKind, self.kind))
        if self.place is not None:
            object.__setattr__(self, "place", _parse(FaultEndpoint, self.place))
        if not 0 <= self.share <= 1:
            raise ValueError(f"expected a share from 0 to 1, found {self.share}")


def _parse(values: type[Enum], value: object) -> Enum:
    try:
        return values(value)
    except ValueError:
        names = ", ".join(each.value for each in values)
        raise ValueError(f"expected one of {names}, found {value!r}") from None


class FaultInjector:
    """The active fault, if there is one; it is kept in the store."""

    def __init__(self, store: PracticeStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._random = random.Random(0)  # noqa: S311 - chance, no secret

    @property
    def current(self) -> Fault | None:
        """The active fault."""
        text = self._store.setting(_SETTING)
        return Fault(**json.loads(text)) if text else None

    def switch(self, fault: Fault | None) -> None:
        """Activate a fault, or none."""
        with self._lock:
            self._random.seed(fault.seed if fault else 0)
            self._save(fault)

    def next_fault(self, endpoint: FaultEndpoint, text: str = "") -> Fault | None:
        """The fault that this request gets, if any; it counts against `count`."""
        with self._lock:
            fault = self.current
            if fault is None or fault.contains not in text or fault.place not in (None, endpoint):
                return None
            if self._random.random() >= fault.share or fault.count == 0:
                return None
            if fault.count is not None:
                self._save(replace(fault, count=fault.count - 1))
            return fault

    def _save(self, fault: Fault | None) -> None:
        self._store.set(_SETTING, json.dumps(asdict(fault)) if fault else "")
