"""Whole runs against random faults: delivered, or saved with a true verdict, and in time.

`make test_faults` does a thousand and keeps the table in FAULTS.md.
"""

import pytest
from fault_runs import run_all, table
from kills import kill_all

pytestmark = [pytest.mark.process, pytest.mark.server, pytest.mark.slow]

RUNS = 16
KILLS = 5


@pytest.mark.timeout(300)
def test_runs_that_meet_faults_end_delivered_or_saved_with_a_true_verdict(sample, tmp_path):
    ends = run_all(RUNS, seed=1, folder=tmp_path / "runs", sample=sample, workers=3)
    print("\n".join(table(ends)))
    assert [(end.plan, end.wrong) for end in ends if end.wrong] == []
    assert {end.verdict for end in ends} > {"ok", "upload_failed"}


@pytest.mark.timeout(300)
def test_a_run_that_is_killed_leaves_nothing_half_and_the_next_one_succeeds(sample, tmp_path):
    assert kill_all(KILLS, seed=1, folder=tmp_path, sample=sample) == []
