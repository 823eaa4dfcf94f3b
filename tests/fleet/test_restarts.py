"""Fleet runs that are killed and started again with changed data deliver nothing stale."""

import fleet_restarts
import pytest


@pytest.mark.process
@pytest.mark.server
@pytest.mark.slow
def test_ten_restarts_of_two_fleets_with_changed_data_deliver_nothing_stale():
    ended = fleet_restarts.run(10, seed=5)
    assert ended.problems == []
    assert ended.counts["uploads"] > 0
