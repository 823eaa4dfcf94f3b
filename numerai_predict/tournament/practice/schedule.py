"""When rounds open, close and resolve.

A round opens Tuesday to Saturday at 12:00 UTC. It stays open for one hour, Saturday's round
until Sunday 14:00 UTC. A submission after that and before the next opening is late: it is
scored but can't be staked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

RESOLVES_AFTER = timedelta(days=31)
SCORES_AFTER = timedelta(days=2)

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

    @property
    def scores(self) -> datetime:
        """When the first scores are due."""
        return self.opens + SCORES_AFTER

    @property
    def resolves(self) -> datetime:
        """When the scores are final."""
        return self.opens + RESOLVES_AFTER

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
