"""A stranger's model reaches its data and nothing else, and leaves nothing behind."""

import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import stage
from excuses import excuse_what_the_machine_lacks

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
    excuse_what_the_machine_lacks(outcome)
    assert outcome.ending == "blocked", outcome.said


@pytest.mark.parametrize("name", stage.attempts.ENDS)
def test_it_is_contained_if_a_model_would(here, name):
    outcome = here.play(name)
    excuse_what_the_machine_lacks(outcome)
    assert outcome.ending == "contained", outcome.said


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
    """The attempts are none that fail by themselves."""
    with contextlib.closing(stage.Stage(ROOT / "predict.py", tmp_path, sample, "off")) as opened:
        assert opened.play(name).ending == "escaped"
