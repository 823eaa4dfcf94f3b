"""The stake of a practice model over time: changes, rounds that put it at risk, payouts and burns.

A change applies at once. When a round closes, the whole stake is at risk in it, so overlapping
rounds put the same stake at risk. When the round resolves, its payout is added to the stake, or
burned from it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from numerai_predict.scoring.payouts import CORR_MULTIPLIER, MMC_MULTIPLIER

MULTIPLIERS = {"v2_corr20": CORR_MULTIPLIER, "mmc": MMC_MULTIPLIER}
STAKE_THRESHOLD = 72_000.0  # NMR of all models in one round, above which the factor falls
MAX_NMR = 11_000_000  # all NMR that there can be

_OTHER_STAKES = (500_000.0, 700_000.0)
_CHANGE, _CLOSE, _RESOLVE = range(3)  # the order of events at the same moment


@dataclass(frozen=True)
class StakeChange:
    """From `moment` on, the stake is `amount` NMR."""

    moment: datetime
    amount: float


@dataclass(frozen=True)
class StakedRound:
    """A round with a submission in time; `rate` is its payout as a share of the stake so far."""

    number: int
    closes: datetime
    resolves: datetime
    rate: float


@dataclass(frozen=True)
class RoundPayout:
    """What a closed round puts at risk, and what it pays (negative: burns), in NMR."""

    at_risk: float
    payout: float
    settled: bool


@dataclass(frozen=True)
class StakeAccount:
    """The stake of a model at a moment, in NMR; `None` before the first change.

    `rounds` are the payouts of closed rounds by number.
    """

    stake: float | None
    rounds: dict[int, RoundPayout]

    @property
    def projected(self) -> float | None:
        """The stake with the payouts of the rounds that are not resolved yet."""
        pending = sum(each.payout for each in self.rounds.values() if not each.settled)
        return None if self.stake is None else max(0.0, self.stake + pending)


def payout_factor(number: int) -> float:
    """The payout factor of a round: the threshold, divided by what all models stake in it.

    The stakes of others are made up, the same for a round on every machine.
    """
    others = random.Random(number).uniform(*_OTHER_STAKES)  # noqa: S311 - chance, no secret
    return min(1.0, STAKE_THRESHOLD / others)


def parse_nmr(value: object) -> float:
    """An amount of NMR.

    Raises:
        ValueError: it is no finite number of at least 0.
    """
    try:
        amount = float(str(value))
    except ValueError:
        amount = math.nan
    if not 0 <= amount <= MAX_NMR:
        raise ValueError(f"expected NMR from 0 to {MAX_NMR:,}, found {value!r}")
    return amount


def settle(
    changes: Iterable[StakeChange], rounds: Iterable[StakedRound], now: datetime
) -> StakeAccount:
    """Apply changes, closings and resolutions until now, in order of time."""
    found = list(rounds)
    events: list[tuple[datetime, int, StakeChange | StakedRound]] = [
        *((each.moment, _CHANGE, each) for each in changes),
        *((each.closes, _CLOSE, each) for each in found),
        *((each.resolves, _RESOLVE, each) for each in found),
    ]
    stake: float | None = None
    payouts: dict[int, RoundPayout] = {}
    for moment, kind, event in sorted(events, key=lambda item: item[:2]):
        if moment > now:
            break
        if isinstance(event, StakeChange):
            stake = event.amount
        elif stake is not None and kind == _CLOSE:
            payouts[event.number] = RoundPayout(stake, stake * event.rate, settled=False)
        elif stake is not None and event.number in payouts:
            payouts[event.number] = replace(payouts[event.number], settled=True)
            stake = max(0.0, stake + payouts[event.number].payout)
    return StakeAccount(stake, payouts)
