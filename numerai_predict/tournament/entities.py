"""Values of the tournament's API: rounds, models, submissions, upload tickets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

SCORED_DAYS = 20  # of trading, with a score each; with the last one a round resolves


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
    """A submission; the `selected` one of its round is the one that counts."""

    id: str
    filename: str
    selected: bool
    inserted: datetime
    round: int


@dataclass(frozen=True)
class Payout:
    """What a round pays a model, in NMR (negative: burns); final once it is `settled`."""

    model_id: str
    round: int
    nmr: float
    settled: bool


@dataclass(frozen=True)
class UploadTicket:
    """The permission to upload one file.

    `filename` is the name that the tournament gives the file; `url` is presigned, a secret.
    """

    filename: str
    url: str = field(repr=False)


def parse_round(document: dict[str, Any]) -> RoundInfo:
    """A round from its JSON object in the API."""
    resolves = document.get("resolveTime")
    return RoundInfo(
        int(document["number"]),
        parse_time(document["openTime"]),
        parse_time(document["closeStakingTime"]),
        parse_time(resolves) if resolves else None,
    )


def parse_submission(document: dict[str, Any]) -> Submission:
    """A submission from its JSON object in the API."""
    return Submission(
        document["id"],
        document["filename"],
        bool(document["selected"]),
        parse_time(document["insertedAt"]),
        int(document["round"]["number"]),
    )


def parse_payouts(document: dict[str, Any]) -> list[Payout]:
    """The payouts of an account from their JSON object in the API, but those without NMR."""
    return [
        Payout(each["modelId"], int(each["roundNumber"]), float(each["payoutNmr"]), settled)
        for settled, group in ((True, "actual"), (False, "pending"))
        for each in document[group]
        if each["payoutNmr"] is not None
    ]


def parse_time(text: str) -> datetime:
    """A time of the API; without a time zone it is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
