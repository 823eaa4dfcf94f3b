"""A hostile model reaches nothing but its data, and leaves nothing behind."""

import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import stage
from excuses import expect_failure_without_a_layer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def here(sample, tmp_path_factory):
    """A stage on this machine."""
    opened = stage.Stage(ROOT / "predict.py", tmp_path_factory.mktemp("stage"), sample)
    with contextlib.closing(opened):
        yield opened


@pytest.mark.parametrize("name", stage.attempts.REACHES)
def test_a_model_cannot(here, name):
    outcome = here.play(name)
    expect_failure_without_a_layer(outcome)
    assert outcome.result == "blocked", outcome.detail


@pytest.mark.parametrize("name", stage.attempts.ENDS)
def test_it_is_contained_if_a_model_would(here, name):
    outcome = here.play(name)
    expect_failure_without_a_layer(outcome)
    assert outcome.result == "contained", outcome.detail


@pytest.mark.parametrize(
    "name",
    [
        "read another user's file that all may read",
        "write a file beside the output",
        "connect to a server on loopback by IPv4",
        "connect to an abstract socket of another process",
        "list what other processes run",
        "use the kernel's keyring",
    ],
)
def test_without_a_sandbox_the_same_model_can(sample, tmp_path, name):
    """Control: the attempts do not fail by themselves."""
    with contextlib.closing(stage.Stage(ROOT / "predict.py", tmp_path, sample, "off")) as opened:
        assert opened.play(name).result == "escaped"
