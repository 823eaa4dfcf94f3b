"""Numbers of things in messages."""

import pytest

from numerai_predict.contract.counting import counted


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 results"), (1, "1 result"), (2, "2 results"), (2000, "2,000 results")],
)
def test_one_thing_has_no_s(count, said):
    assert counted(count, "result") == said
