"""Rounds open Tuesday to Saturday at noon, for an hour, or until Sunday afternoon."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerai_predict.tournament.practice.schedule import current_round, next_round, round_by_number


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-07-07T11:59:59", False),  # a Tuesday
        ("2026-07-07T12:00:00", True),
        ("2026-07-07T12:59:59", True),
        ("2026-07-07T13:00:00", False),
        ("2026-07-11T12:00:00", True),  # a Saturday
        ("2026-07-12T13:59:59", True),
        ("2026-07-12T14:00:00", False),
        ("2026-07-13T12:30:00", False),  # no round opens on a Monday
    ],
)
def test_the_windows_are_the_tournaments(now, is_open):
    assert current_round(at(now)).is_open(at(now)) is is_open


def test_scores_arrive_with_the_openings_of_the_next_rounds():
    number = 1000
    round_ = round_by_number(number)
    moments = [round_by_number(number + later).opens for later in range(1, 24)]
    assert [round_.scored_days(moment) for moment in moments] == [*range(21), 20, 20]
    assert round_.scored_days(round_.opens - timedelta(days=7)) == 0
    assert round_.score_time(1) == moments[1]
    assert round_.resolves == moments[20]


@pytest.mark.parametrize("number", range(1000, 1005))
def test_a_round_resolves_after_about_a_month(number):
    round_ = round_by_number(number)
    assert timedelta(days=29) <= round_.resolves - round_.opens <= timedelta(days=31)


@given(st.integers(0, 10**9).map(lambda seconds: at("2021-01-06") + timedelta(seconds=seconds)))
def test_the_current_round_is_the_last_that_opened_and_the_next_is_the_one_after(now):
    current, following = current_round(now), next_round(now)
    assert current.opens <= now < following.opens
    assert following.number == current.number + 1
    assert round_by_number(current.number) == current
    assert current.opens.weekday() in (1, 2, 3, 4, 5)
    assert timedelta(hours=1) <= current.closes - current.opens <= timedelta(hours=26)
