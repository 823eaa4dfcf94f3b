"""The stage with a fleet worker in place of `predict.py`, on this machine or in a container."""

import contextlib
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import stage
from fleets import LOCAL_PYTHON, actor_spec, model_task

from numerai_predict.contract.limits import Limits, parse_seconds, parse_size
from numerai_predict.fleet.pool.actor import TaskResult, WorkerActor

# `test_worker.py` tests the limits of a model; these attempts leave files and processes.
LEAVES = [name for name in stage.attempts.ENDS if name.startswith(("leave", "answer", "announce"))]

_SEEN_AS = "/tmp/stage"  # the worker's scratch directory is the container's /tmp

_LOOK = """
import os
for name in os.listdir("/dev/shm"):
    print("left in shared memory:", name)
for number in filter(str.isdecimal, os.listdir("/proc")):
    try:
        user = os.stat(f"/proc/{number}").st_uid
    except FileNotFoundError:
        continue
    if user:
        print("left running:", number, "of user", user)
"""


class WarmStage(stage.Stage):
    """Plays attempts by a worker actor; `seen_as` is the directory's path for the worker."""

    def __init__(self, actor, folder, sample, seen_as=None):
        super().__init__(None, folder, sample)
        self.actor, self.seen_as = actor, seen_as or str(folder)
        self.own = actor._directory.path.name

    def facts(self, model, result):
        return {
            name: fact.replace(str(self.folder), self.seen_as) if isinstance(fact, str) else fact
            for name, fact in super().facts(model, result).items()
        }

    def _run(self, model, result, options):
        given = dict(zip(options[::2], options[1::2], strict=True))
        memory = parse_size(given.get("--memory", "4g"))
        limits = Limits(memory, parse_seconds(given.get("--timeout", "30")))
        outcome = self.actor.run(model_task(model, limits=limits), str(model))
        assert isinstance(outcome, TaskResult), outcome
        result.write_text(json.dumps(outcome.record))
        if outcome.csv is not None:
            (self.folder / "output" / "predictions.csv").write_bytes(outcome.csv)
        return SimpleNamespace(returncode=0, stderr=outcome.log.decode(errors="replace"))

    def _traces(self, text):
        # The files of the worker exist as long as it runs; those of a model must not.
        left = [path.name for path in self._scratch().rglob("numerai-model-*")]
        yield from (f"left in temporary: {name}" for name in left)
        own = f"left in temporary: { {self.own} }"
        yield from (trace for trace in super()._traces(text) if trace != own)
        if self.actor._worker_spec.environment.image is not None:
            yield from self._left_inside()

    def _left_inside(self):
        """Files in the container's shared memory, and processes of models."""
        command = [self.actor._worker_spec.engine, "exec", self.actor._worker.name]
        asked = subprocess.run(
            [*command, "python", "-c", _LOOK], capture_output=True, text=True, check=True
        )
        yield from asked.stdout.splitlines()

    def _scratch(self):
        return Path(self.actor._worker._scratch.name)


@contextlib.contextmanager
def warm_stage(folder, sample, environment=LOCAL_PYTHON):
    """A stage whose worker was started by a process with secrets in its environment.

    In a container the stage is in the only directory that worker and models can reach.
    """
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_SECRET_ACCESS_KEY", stage.SECRET)
    patch.setenv("HOME", str(folder / "home"))
    (folder / "temporary").mkdir()
    patch.setattr("tempfile.tempdir", str(folder / "temporary"))
    with contextlib.closing(WorkerActor(actor_spec(sample, environment))) as actor:
        actor.prepare()
        patch.undo()
        seen_as = None
        if environment.image is not None:
            folder, seen_as = Path(actor._worker._scratch.name, "stage"), _SEEN_AS
            folder.mkdir()
        with contextlib.closing(WarmStage(actor, folder, sample, seen_as)) as opened:
            yield opened
