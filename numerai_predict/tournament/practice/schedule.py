"""When rounds open, close and resolve, and when their scores arrive.

A round opens Tuesday to Saturday at 12:00 UTC. It stays open for one hour, Saturday's round
until Sunday 14:00 UTC. A submission after that and before the next opening is late: it is
scored but can't be staked.

Each round begins on a trading day, and its target is over the next 20. The score of a day arrives
when the market has closed and one more round has opened: the first one two rounds later, the final
one 21 rounds later, about a month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from numerai_predict.tournament.entities import SCORED_DAYS

_OPENS = timedelta(hours=12)
_WEEKDAY_WINDOW = timedelta(hours=1)
_SATURDAY_WINDOW = timedelta(hours=26)
_FIRST = datetime(2021, 1, 5, tzinfo=timezone.utc)  # a Tuesday: round 1
_ROUNDS_PER_WEEK = 5


@dataclass(frozen=True)
class ScheduledRound:
    """A round; all times are of the practice server's clock."""

    number: int
    opens: datetime

    @property
    def closes(self) -> datetime:
        """The end of the window in which a submission is in time."""
        saturday = self.opens.weekday() == 5
        return self.opens + (_SATURDAY_WINDOW if saturday else _WEEKDAY_WINDOW)

    def score_time(self, day: int) -> datetime:
        """When the score of a day arrives: 1 is the first day, 20 the last."""
        return round_by_number(self.number + day + 1).opens

    @property
    def resolves(self) -> datetime:
        """When the scores are final."""
        return self.score_time(SCORED_DAYS)

    def scored_days(self, now: datetime) -> int:
        """How many days have a score, from 0 to 20."""
        rounds = current_round(now).number - self.number
        return min(max(0, rounds - 1), SCORED_DAYS)

    def is_open(self, now: datetime) -> bool:
        """Whether a submission is in time."""
        return self.opens <= now < self.closes


def round_by_number(number: int) -> ScheduledRound:
    """The round of that number; the first is 1."""
    week, day = divmod(number - 1, _ROUNDS_PER_WEEK)
    return ScheduledRound(number, _FIRST + timedelta(weeks=week, days=day) + _OPENS)


def current_round(now: datetime) -> ScheduledRound:
    """The round that opened last; round 1 before any opened."""
    week, rest = divmod(now - _OPENS - _FIRST, timedelta(weeks=1))
    day = min(rest // timedelta(days=1), _ROUNDS_PER_WEEK - 1)
    return round_by_number(max(1, week * _ROUNDS_PER_WEEK + day + 1))


def next_round(now: datetime) -> ScheduledRound:
    """The round that opens next."""
    current = current_round(now)
    return current if now < current.opens else round_by_number(current.number + 1)
