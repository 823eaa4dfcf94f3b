"""A model in a warm worker reaches no more than in a single run: the same attempts."""

import contextlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from fleets import posting, task

from numerai_predict.contract.limits import Limits, parse_seconds, parse_size
from numerai_predict.fleet.foreman import Foreman

sys.path.insert(0, str(Path(__file__).parents[1] / "isolation"))

import stage
from excuses import excuse_what_the_machine_lacks


class WarmStage(stage.Stage):
    """The stage, with a warm worker in place of `predict.py`; it holds all that a worker may."""

    foreman: Foreman

    def _run(self, model, result, options):
        given = dict(zip(options[::2], options[1::2], strict=True))
        memory = parse_size(given.get("--memory", "4g"))
        limits = Limits(memory, parse_seconds(given.get("--timeout", "30")))
        outcome = self.foreman.run(task(model, limits=limits), str(model))
        assert outcome.lost is None, outcome.lost
        result.write_text(json.dumps(outcome.record))
        if outcome.csv is not None:
            (self.folder / "output" / "predictions.csv").write_bytes(outcome.csv)
        return SimpleNamespace(returncode=0, stderr=outcome.log.decode(errors="replace"))

    def _traces(self, told):
        # The worker's own files are there as long as it lives; a model's must not be.
        left = [path.name for path in self.folder.rglob("numerai-model-*")]
        yield from (f"left in temporary: {name}" for name in left)
        own = f"left in temporary: { {self.own.name} }"
        yield from (trace for trace in super()._traces(told) if trace != own)


@pytest.fixture(scope="module")
def warm(sample, tmp_path_factory):
    """A stage whose worker was started with secrets around it, as a fleet's would be."""
    opened = WarmStage(None, tmp_path_factory.mktemp("stage"), sample)
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_SECRET_ACCESS_KEY", stage.SECRET)
    patch.setenv("HOME", str(opened.folder / "home"))
    patch.setattr("tempfile.tempdir", str(opened.folder / "temporary"))
    with contextlib.closing(Foreman(posting(sample))) as foreman:
        foreman.prepare()
        patch.undo()
        opened.foreman, opened.own = foreman, Path(foreman._folder.name)
        with contextlib.closing(opened):
            yield opened


@pytest.mark.parametrize("name", stage.attempts.REACHES)
def test_a_model_cannot(warm, name):
    outcome = warm.play(name)
    excuse_what_the_machine_lacks(outcome)
    assert outcome.ending == "blocked", outcome.said


# The limits that bound a model are tried in `test_worker.py`; here: what it leaves behind.
LEAVES = [name for name in stage.attempts.ENDS if name.startswith(("leave", "answer", "announce"))]


@pytest.mark.parametrize("name", LEAVES)
def test_it_is_contained_if_a_model_would(warm, name):
    outcome = warm.play(name)
    excuse_what_the_machine_lacks(outcome)
    assert outcome.ending == "contained", outcome.said
