"""Several processes change one registry, and are killed."""

import pytest
import registry_stress


@pytest.mark.process
def test_no_version_is_lost_and_no_read_torn_while_processes_are_killed(tmp_path):
    outcome = registry_stress.run(tmp_path, seconds=4, processes=4, seed=3)
    assert outcome.faults == []
    assert outcome.kills > 5
    assert set(outcome.done) == {"added", "promoted", "rolled back", "read"}
