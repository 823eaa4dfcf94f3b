"""Windows walk forward, with a purge between all parts, and never touch the holdout."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.embargo import embargo_eras, target_horizon_days
from numerai_predict.training.walk_forward import WindowSizes, plan_windows

SIZES = WindowSizes(windows=3, window_eras=10, stopping_eras=5, holdout_eras=12, purge_eras=4)


def gap(earlier, later):
    """How many era numbers lie between two parts."""
    return min(later) - max(earlier) - 1


@given(
    eras=st.sets(st.integers(1, 400), min_size=20, max_size=250).map(sorted),
    windows=st.integers(1, 4),
    window=st.integers(2, 20),
    stopping=st.integers(1, 10),
    holdout=st.integers(2, 30),
    purge=st.integers(0, 12),
)
def test_a_purge_lies_between_all_parts_whatever_eras_there_are(
    eras, windows, window, stopping, holdout, purge
):
    try:
        made = plan_windows(eras, WindowSizes(windows, window, stopping, holdout, purge))
    except BadConfiguration:
        assume(False)
    for each in made.windows:
        assert gap(each.training, each.stopping) >= purge
        assert gap(each.stopping, each.scored) >= purge
        assert gap(each.scored, made.final.scored) >= purge
        assert (len(each.scored), len(each.stopping)) == (window, stopping)
    assert gap(made.final.training, made.final.scored) >= purge
    assert made.final.scored == tuple(eras[-holdout:])
    assert made.final.stopping == ()


def test_windows_are_scored_on_eras_that_follow_each_other():
    made = plan_windows(range(1, 101), SIZES)
    assert [each.name for each in made.windows] == ["window-1", "window-2", "window-3"]
    scored = [era for each in made.windows for era in each.scored]
    assert scored == list(range(55, 85))
    assert made.final.scored == tuple(range(89, 101))
    assert made.windows[0].training == tuple(range(1, 42))
    assert made.windows[0].stopping == tuple(range(46, 51))


def test_every_fourth_era_is_purged_by_number_not_by_count():
    made = plan_windows(range(1, 401, 4), SIZES)
    for each in made.windows:
        assert min(each.scored) - max(each.stopping) == 8
        assert min(each.stopping) - max(each.training) == 8


def test_too_few_eras_are_refused_with_the_number_that_is_needed():
    with pytest.raises(BadConfiguration, match=r"expected at least 64 eras .* found 60"):
        plan_windows(range(60), SIZES)


@pytest.mark.parametrize(
    ("target", "days", "purge"),
    [("target", 20, 4), ("target_ender_20", 20, 4), ("target_ender_60", 60, 12)],
)
def test_a_target_names_how_far_it_looks_ahead(target, days, purge):
    assert target_horizon_days(target, {}) == days
    assert embargo_eras([target], {}) == purge


def test_the_target_that_looks_furthest_decides():
    assert embargo_eras(["target", "target_ender_60"], {}) == 12


def test_a_target_whose_name_does_not_tell_is_not_guessed_at():
    with pytest.raises(BadConfiguration, match="target_mine") as caught:
        embargo_eras(["target_mine"], {})
    assert "horizons: {target_mine: 20}" in caught.value.remedy
    assert embargo_eras(["target_mine"], {"target_mine": 21}) == 5
