"""One deadline bounds every wait."""

import math

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed

PASSED = Deadline(at=0.0, seconds=7)


def test_without_a_deadline_a_wait_takes_as_long_as_it_wants():
    deadline = Deadline.after(None)
    assert deadline.remaining() == math.inf
    assert deadline.wait(30, "fetch") == 30
    deadline.check("fetch")


def test_a_wait_ends_with_the_deadline():
    deadline = Deadline.after(1000)
    assert 0 < deadline.wait(10_000, "fetch") <= 1000
    assert deadline.wait(1, "fetch") == 1


def test_what_is_left_is_never_negative():
    assert PASSED.remaining() == 0


@pytest.mark.parametrize("use", [lambda d: d.check("deliver"), lambda d: d.wait(5, "deliver")])
def test_an_exceeded_deadline_names_the_step_and_its_seconds(use):
    with pytest.raises(DeadlinePassed, match=r"deadline of 7 s .* deliver") as passed:
        use(PASSED)
    assert "--deadline" in passed.value.remedy


def test_the_remaining_time_can_be_sent_to_another_process():
    assert Deadline().left() is None
    assert 59 < Deadline.after(60).left() <= 60
    assert Deadline.after(Deadline().left()) == Deadline()
