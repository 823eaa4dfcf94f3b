"""Worker actors with real workers, and whole fleet runs by the command line."""

from contextlib import closing
from pathlib import Path

import pytest
from fleets import Fleet, actor_spec, model_task

from numerai_predict.fleet.pool.actor import WorkerActor


@pytest.fixture(scope="session")
def actor(sample, tmp_path_factory):
    """A worker actor with one worker for all tests: no model may affect the next one."""
    with closing(WorkerActor(actor_spec(sample))) as shared:
        shared.prepare()
        yield shared


@pytest.fixture
def new_actor(sample):
    """Make a worker actor with a worker of its own."""
    made = []

    def make(**changes):
        made.append(WorkerActor(actor_spec(sample, **changes)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def run(actor, pickle_model):
    """Run a model in the shared worker."""

    def run(model, limits=None, by=actor, name="model.pkl", **changes):
        path = model if isinstance(model, Path) else pickle_model(model, name)
        return by.run(model_task(path, limits=limits, **changes), str(path))

    return run


@pytest.fixture
def fleet(tmp_path, sample, clean_environment):
    """A fleet without a container engine: models run in the Python that runs the tests."""
    # Ray's sockets need a short path.
    environment = {**clean_environment, "TMPDIR": "/tmp"}
    return Fleet(tmp_path, sample, environment)
