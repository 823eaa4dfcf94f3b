"""A gate blocks values that the tournament refuses, before anything is uploaded."""

from types import SimpleNamespace

import pandas as pd
import pytest

from numerai_predict.tournament.gates import PASSED, range_gate


@pytest.mark.parametrize("outside", [-0.01, 1.01, 7.0])
def test_a_value_outside_0_to_1_is_blocked_and_is_named(outside):
    values = pd.Series([0.0, 1.0, outside], index=["a", "b", "row_x"])
    result = range_gate(SimpleNamespace(values=values))
    assert result != PASSED
    assert "1 predictions outside 0 to 1, such as row_x" in str(result)


def test_values_from_0_to_1_leave_it_open():
    values = pd.Series([0.0, 0.5, 1.0], index=list("abc"))
    assert range_gate(SimpleNamespace(values=values)) == PASSED
