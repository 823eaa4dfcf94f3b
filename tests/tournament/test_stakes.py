"""A practice stake changes by its owner and by the payouts of the rounds that it was at risk in."""

from datetime import datetime, timedelta, timezone

import pytest

from numerai_predict.tournament.practice.stakes import (
    RoundPayout,
    StakeChange,
    StakedRound,
    parse_nmr,
    payout_factor,
    settle,
)

pytestmark = pytest.mark.unit
START = datetime(2026, 7, 7, 12, tzinfo=timezone.utc)


def day(number):
    return START + timedelta(days=number)


def staked(number, rate, closes=None):
    closes = number if closes is None else closes
    return StakedRound(number, day(closes), day(closes + 30), rate)


def test_without_a_stake_nothing_is_at_risk():
    account = settle([], [staked(1, 0.05)], day(100))
    assert (account.stake, account.projected, account.rounds) == (None, None, {})


def test_a_round_is_at_risk_from_its_closing_and_settled_when_it_resolves():
    changes, rounds = [StakeChange(day(0), 10)], [staked(1, 0.04)]
    assert settle(changes, rounds, day(0)).rounds == {}
    pending = settle(changes, rounds, day(2))
    assert pending.rounds == {1: RoundPayout(10, pytest.approx(0.4), settled=False)}
    assert (pending.stake, pending.projected) == (10, pytest.approx(10.4))
    settled = settle(changes, rounds, day(31))
    assert settled.rounds == {1: RoundPayout(10, pytest.approx(0.4), settled=True)}
    assert settled.stake == settled.projected == pytest.approx(10.4)


def test_overlapping_rounds_put_the_same_stake_at_risk_and_later_ones_the_changed_one():
    rounds = [staked(1, 0.05), staked(2, -0.05), staked(40, 0.01)]
    found = settle([StakeChange(day(0), 100)], rounds, day(100))
    assert [each.at_risk for each in found.rounds.values()] == [100, 100, 100]
    burned = settle([StakeChange(day(0), 100)], [staked(1, -0.05), staked(40, 0.01)], day(100))
    assert [each.at_risk for each in burned.rounds.values()] == [100, 95]
    assert burned.stake == pytest.approx(95.95)


def test_a_stake_that_comes_after_the_closing_is_not_at_risk():
    account = settle([StakeChange(day(5), 10)], [staked(1, 0.05)], day(100))
    assert (account.stake, account.rounds) == (10, {})


def test_a_stake_that_was_taken_back_is_not_burned_below_zero():
    changes = [StakeChange(day(0), 10), StakeChange(day(5), 0)]
    account = settle(changes, [staked(1, -0.05)], day(100))
    assert account.stake == 0


def test_the_payout_factor_of_a_round_is_always_the_same_and_below_one():
    factors = [payout_factor(number) for number in range(1000, 1050)]
    assert factors == [payout_factor(number) for number in range(1000, 1050)]
    assert len(set(factors)) == 50
    assert all(0.1 < factor < 0.15 for factor in factors)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "", "ten", None, True, [], "1e8"])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(ValueError, match="expected NMR from 0 to 11,000,000"):
        parse_nmr(value)
