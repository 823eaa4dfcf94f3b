"""The README's training example ends with a submission that the practice tournament accepts."""

import pytest
from lanes import ROOT

pytestmark = [pytest.mark.process, pytest.mark.slow]


def test_the_training_example_leads_to_an_accepted_submission(run_page):
    run = run_page(ROOT / "README.md")
    assert run.exit_code == 0, run.last
    assert "submitted" in run.last.splitlines()[-1]
    assert "would be blocked" not in run.last
