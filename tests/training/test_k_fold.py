"""Folds: each era is scored once, and an embargo lies between the parts of a fold."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.k_fold import FoldSizes, plan_folds
from numerai_predict.training.validation_plan import describe_spans

SIZES = FoldSizes(folds=4, stopping_eras=5, holdout_eras=12, fold_embargo_eras=4, embargo_eras=4)


def distance(one, others):
    """The smallest distance of an era of one part to an era of the other."""
    return min(abs(a - b) for a in one for b in others)


@given(
    eras=st.sets(st.integers(1, 400), min_size=20, max_size=250).map(sorted),
    folds=st.integers(2, 8),
    stopping=st.integers(1, 10),
    holdout=st.integers(2, 30),
    embargoes=st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted),
)
def test_each_era_before_the_holdout_is_scored_once_by_models_that_know_no_era_near_it(
    eras, folds, stopping, holdout, embargoes
):
    between, before_holdout = embargoes
    try:
        made = plan_folds(eras, FoldSizes(folds, stopping, holdout, between, before_holdout))
    except BadConfiguration:
        assume(False)
    scored = [era for each in made.windows for era in each.scored]
    assert scored == list(made.final.training)
    for each in made.windows:
        assert distance(each.training, each.scored) > between
        assert distance(each.stopping, each.scored) > between
        assert distance(each.training, each.stopping) > between
        assert len(each.stopping) == stopping
    lengths = [len(each.scored) for each in made.windows]
    assert max(lengths) - min(lengths) <= 1
    assert min(made.final.scored) - max(made.final.training) > before_holdout
    assert made.final.scored == tuple(eras[-holdout:])


def test_a_fold_is_trained_on_the_eras_on_both_sides_of_it():
    made = plan_folds(range(1, 101), SIZES)
    assert [each.name for each in made.windows] == ["fold-1", "fold-2", "fold-3", "fold-4"]
    second = made.windows[1]
    assert second.scored == tuple(range(22, 43))
    assert second.stopping == tuple(range(80, 85))
    assert second.training == (*range(1, 18), *range(47, 76))
    assert describe_spans(second.training, [*second.scored]) == "0001 to 0017 and 0047 to 0075"


def test_the_last_fold_stops_on_the_eras_before_it():
    last = plan_folds(range(1, 101), SIZES).windows[-1]
    assert last.scored == tuple(range(64, 85))
    assert last.stopping == tuple(range(55, 60))
    assert last.training == tuple(range(1, 51))


def test_too_few_eras_are_refused():
    with pytest.raises(BadConfiguration, match=r"expected more eras for 4 folds.* found 30"):
        plan_folds(range(30), SIZES)
