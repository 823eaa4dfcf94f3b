"""What the tournament tells: rounds, models, submissions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any


@dataclass(frozen=True)
class RoundInfo:
    """A round: when it opens, until when a submission is in time, when scores are final."""

    number: int
    opens: datetime
    closes: datetime
    resolves: datetime | None

    def is_open(self, now: datetime | None = None) -> bool:
        """Whether a submission is in time."""
        return self.opens <= (now or datetime.now(timezone.utc)) < self.closes


@dataclass(frozen=True)
class AccountModel:
    """A model of the account."""

    id: str
    name: str


@dataclass(frozen=True)
class Submission:
    """A submission: `selected` is the one of its round that counts."""

    id: str
    filename: str
    selected: bool
    inserted: datetime
    round: int


def round_from_answer(found: dict[str, Any]) -> RoundInfo:
    """A round as the API tells it."""
    resolves = found.get("resolveTime")
    return RoundInfo(
        int(found["number"]),
        moment_of(found["openTime"]),
        moment_of(found["closeStakingTime"]),
        moment_of(resolves) if resolves else None,
    )


def moment_of(text: str) -> datetime:
    """A time of the API; without a zone it is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
