"""Eras are known again by what they contain, in any file and any order."""

import numpy as np
import pytest

from numerai_predict.data.era_marks import era_mark

pytestmark = pytest.mark.unit

ROWS = 300


@pytest.fixture
def era():
    random = np.random.default_rng(4)
    ids = [f"n{value:015x}" for value in random.integers(0, 2**60, ROWS)]
    target = random.choice([0, 0.25, 0.5, 0.75, 1, np.nan], ROWS)
    return ids, target


def test_order_and_type_make_no_difference(era):
    ids, target = era
    order = np.random.default_rng(5).permutation(ROWS)
    mark = era_mark(ids, target)
    assert era_mark([ids[row] for row in order], target[order]) == mark
    assert era_mark(ids, target.astype(np.float32)) == mark
    zeros = np.where(target == 0, -0.0, target)
    assert era_mark(ids, zeros) == mark


def test_another_target_has_the_mark_of_the_same_rows(era):
    ids, target = era
    other = era_mark(ids, 1 - target)
    assert other.rows == era_mark(ids, target).rows
    assert other.target != era_mark(ids, target).target


def test_other_rows_have_other_marks(era):
    ids, target = era
    assert era_mark([f"{each}0" for each in ids], target).rows != era_mark(ids, target).rows


def test_most_of_the_rows_are_enough_for_most_eras(era):
    ids, target = era
    mark, known = era_mark(ids, target), 0
    for seed in range(40):
        kept = np.flatnonzero(np.random.default_rng(seed).random(ROWS) < 0.8)
        known += era_mark([ids[row] for row in kept], target[kept]).rows == mark.rows
    assert known > 24


def test_an_era_of_one_row_has_marks():
    assert era_mark(["n1"], np.array([0.5])) == era_mark(["n1"], np.array([0.5], np.float32))
    assert era_mark(["n1"], np.array([np.nan])) == era_mark(["n1"], np.array([-np.nan]))
