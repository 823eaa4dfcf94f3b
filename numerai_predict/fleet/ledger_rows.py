"""What the ledger of a fleet run returns: rows, events and results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from numerai_predict.fleet.model_state import ModelState


@dataclass(frozen=True)
class Row:
    """A model's row of the table `models`; times are seconds since 1970 (UTC).

    `place` is the environment that the model runs in, `key` the key of its result as text, `tags`
    are those of the manifest with spaces between them.
    """

    id: str
    state: ModelState
    verdict: str | None
    message: str | None
    place: str | None
    worker: str | None
    attempts: int
    started: float | None
    ended: float | None
    seconds: float | None
    peak_bytes: int | None
    key: str | None = None
    tags: str | None = None

    @property
    def environment(self) -> str | None:
        """The environment that the model runs in; the column keeps the name of old ledgers."""
        return self.place

    @property
    def status(self) -> str:
        """The verdict of a model that has ended, the state of any other."""
        return (self.verdict if self.state.is_final else None) or self.state.value


class Event(NamedTuple):
    """A change of a model's state; `at` is in seconds since 1970 (UTC)."""

    model: str
    state: ModelState
    at: float
    attempt: int
    worker: str | None


class LedgerResult(NamedTuple):
    """A result in the ledger; `key` is `None` if an older version wrote it.

    `destination` is the `destination_id` of where it goes, `sha256` the hash of the predictions.
    """

    state: ModelState
    verdict: str | None
    key: str | None
    destination: str | None
    sha256: str | None


class DeliveryStart(Enum):
    """What a delivery process is to do with a request."""

    BEGUN = auto()
    RECORDED = auto()
    DELIVERED_BEFORE = auto()
    SUPERSEDED = auto()
