"""Faults that can be switched on, one kind at a time.

`5xx` answers 503. `slow` answers after some seconds. `graphql` answers with a GraphQL error.
`session` answers that the session is invalid or expired. `lost` does what was asked for,
then breaks the connection: whoever asked cannot know.
"""

from __future__ import annotations

import json
import random
import threading
from dataclasses import asdict, dataclass

from numerai_predict.tournament.practice.store import PracticeStore

KINDS = ("5xx", "slow", "graphql", "session", "lost")
PLACES = ("graphql", "upload", "data")

_SETTING = "fault"


@dataclass(frozen=True)
class Fault:
    """A kind of fault for a `share` of the requests, or for the next `count` of them.

    `place` is where: GraphQL, the upload or the download of files, or everywhere.
    `contains` bounds it to GraphQL requests whose text holds it. `seconds` is how long
    `slow` takes.
    """

    kind: str
    share: float = 1.0
    count: int | None = None
    place: str | None = None
    contains: str = ""
    seconds: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"expected one of {', '.join(KINDS)}, found {self.kind!r}")
        if self.place is not None and self.place not in PLACES:
            raise ValueError(f"expected one of {', '.join(PLACES)}, found {self.place!r}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"expected a share from 0 to 1, found {self.share}")


class Faults:
    """The fault that is switched on, if one is; kept in the store."""

    def __init__(self, store: PracticeStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._random = random.Random(0)  # noqa: S311 - chance, no secret

    @property
    def current(self) -> Fault | None:
        """The fault that is on."""
        text = self._store.setting(_SETTING)
        return Fault(**json.loads(text)) if text else None

    def switch(self, fault: Fault | None) -> None:
        """Turn a fault on, or all off."""
        with self._lock:
            self._random.seed(fault.seed if fault else 0)
            self._keep(fault)

    def strike(self, place: str, text: str = "") -> Fault | None:
        """The fault that this request meets; one less is left of a counted one."""
        with self._lock:
            fault = self.current
            if fault is None or (fault.place or place) != place or fault.contains not in text:
                return None
            if self._random.random() >= fault.share or fault.count == 0:
                return None
            if fault.count is not None:
                self._keep(Fault(**{**asdict(fault), "count": fault.count - 1}))
            return fault

    def _keep(self, fault: Fault | None) -> None:
        self._store.set(_SETTING, json.dumps(asdict(fault)) if fault else "")
