"""Foremen with real workers, and whole rounds by the command line."""

from contextlib import closing
from pathlib import Path

import pytest
from fleets import Fleet, posting, task

from numerai_predict.fleet.pool.actor import WorkerActor


@pytest.fixture(scope="session")
def foreman(sample, tmp_path_factory):
    """A foreman with one worker for all tests: what one model does must not reach the next."""
    with closing(WorkerActor(posting(sample))) as made:
        made.prepare()
        yield made


@pytest.fixture
def new_foreman(sample):
    """Make a foreman of one's own."""
    made = []

    def make(**changes):
        made.append(WorkerActor(posting(sample, **changes)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def run(foreman, pickle_model):
    """Run a model in the shared worker."""

    def run(model, limits=None, by=foreman, name="model.pkl", **changes):
        path = model if isinstance(model, Path) else pickle_model(model, name)
        return by.run(task(path, limits=limits, **changes), str(path))

    return run


@pytest.fixture
def fleet(tmp_path, sample, clean_environment):
    """A fleet without an engine: everything in the Python that runs the tests."""
    # Ray's sockets need a short path.
    environment = {**clean_environment, "TMPDIR": "/tmp"}
    return Fleet(tmp_path, sample, environment)
