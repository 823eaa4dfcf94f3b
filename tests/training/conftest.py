"""A small data set, and small trainings on it."""

import pytest
from trainings import SHAPE, Training

from numerai_predict.data.synthetic import write_sample


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Sample data with its weak signal: 66 eras of 120 rows."""
    folder = tmp_path_factory.mktemp("training") / "sample"
    write_sample(folder, SHAPE)
    return folder


@pytest.fixture
def training(tmp_path, data):
    """Make a training in a new directory."""

    def make(name="training", folder=data, **changes):
        return Training(tmp_path / name, folder, **changes)

    return make


@pytest.fixture(scope="session")
def trained(tmp_path_factory, data):
    """One training that ran to its end."""
    training = Training(tmp_path_factory.mktemp("trained") / "training", data)
    training.ended = training.succeeds("--reveal-holdout")
    return training
