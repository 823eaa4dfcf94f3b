"""A model gets the most compatible environment that its row allows."""

import pytest

from numerai_predict.contract.errors import PythonMismatch
from numerai_predict.fleet.environments import Environment, choose_environment
from numerai_predict.inspection.images import supported_images
from numerai_predict.inspection.inspect import inspect_pickle

IMAGES = [Environment(each.python, each.flavour, each.name) for each in supported_images()]


def predict(live_features):
    return live_features


@pytest.fixture
def inspection(pickle_model):
    return inspect_pickle(pickle_model(predict))


def test_the_choice_is_a_slim_image_of_a_valid_python(inspection):
    chosen = choose_environment(IMAGES, inspection, None, None)
    assert chosen.python in inspection.pythons.legal
    assert chosen.flavour == "slim"


def test_a_row_decides_python_and_flavour(inspection):
    chosen = choose_environment(IMAGES, inspection, "3.10", "full")
    assert (chosen.python, chosen.flavour) == ("3.10", "full")


def test_an_environment_that_does_not_exist_is_a_mismatch(inspection):
    with pytest.raises(PythonMismatch, match=r"Python 3.9 \(any flavour\), found numerai_predict"):
        choose_environment(IMAGES, inspection, "3.9", None)
