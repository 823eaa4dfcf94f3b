"""A model in a worker of the fleet can reach no more than in a single run."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "attacks"))

import stage
from excuses import expect_failure_without_a_layer
from warm_stage import LEAVES, warm_stage


@pytest.fixture(scope="module")
def warm(sample, tmp_path_factory):
    """One stage for all attempts: the worker must survive them."""
    with warm_stage(tmp_path_factory.mktemp("stage"), sample) as opened:
        yield opened


@pytest.mark.parametrize("name", stage.attempts.REACHES)
def test_a_model_cannot(warm, name):
    outcome = warm.play(name)
    expect_failure_without_a_layer(outcome)
    assert outcome.result == "blocked", outcome.detail


@pytest.mark.parametrize("name", LEAVES)
def test_it_is_contained_if_a_model_would(warm, name):
    outcome = warm.play(name)
    expect_failure_without_a_layer(outcome)
    assert outcome.result == "contained", outcome.detail
