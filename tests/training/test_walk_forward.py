"""Walk-forward windows: an embargo between all parts, and an untouched holdout."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.walk_forward import WindowSizes, plan_windows

SIZES = WindowSizes(windows=3, window_eras=10, stopping_eras=5, holdout_eras=12, embargo_eras=4)


def gap(earlier, later):
    """The number of era numbers between two parts."""
    return min(later) - max(earlier) - 1


@given(
    eras=st.sets(st.integers(1, 400), min_size=20, max_size=250).map(sorted),
    windows=st.integers(1, 4),
    window=st.integers(2, 20),
    stopping=st.integers(1, 10),
    holdout=st.integers(2, 30),
    embargo=st.integers(0, 12),
)
def test_a_embargo_lies_between_all_parts(eras, windows, window, stopping, holdout, embargo):
    try:
        made = plan_windows(eras, WindowSizes(windows, window, stopping, holdout, embargo))
    except BadConfiguration:
        assume(False)
    for each in made.windows:
        assert gap(each.training, each.stopping) >= embargo
        assert gap(each.stopping, each.scored) >= embargo
        assert gap(each.scored, made.final.scored) >= embargo
        assert (len(each.scored), len(each.stopping)) == (window, stopping)
    assert gap(made.final.training, made.final.scored) >= embargo
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


def test_the_embargo_counts_era_numbers_not_eras():
    made = plan_windows(range(1, 401, 4), SIZES)
    for each in made.windows:
        assert min(each.scored) - max(each.stopping) == 8
        assert min(each.stopping) - max(each.training) == 8


def test_too_few_eras_are_refused_with_the_number_that_is_needed():
    with pytest.raises(BadConfiguration, match=r"expected at least 64 eras .* found 60"):
        plan_windows(range(60), SIZES)
