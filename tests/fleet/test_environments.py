"""A model gets the most compatible environment that its row allows."""

import operator
import pickle
from contextlib import closing
from pathlib import Path

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import PythonMismatch
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.fleet.environments import LOCAL, Environment, choose_environment
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.preparation import PreparationFailure, Preparer
from numerai_predict.inspection.images import supported_images
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.target import ContainerImage, choose_target

MODELS = Path(__file__).parents[1] / "models"
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


def here(*names):
    """The local Python, and the images of these names that a container engine has."""
    local = Environment(RUNNING_PYTHON, LOCAL)
    return [*(each for each in IMAGES if each.image in names), local]


class _Engine(Engine):
    """A container engine that has the named images."""

    def __init__(self, names):
        object.__setattr__(self, "command", "engine")
        object.__setattr__(self, "names", names)

    def has_image(self, image):
        return image in self.names


# The pickles of this repository by the Python that made them, and images that an engine has.
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize(
    "available",
    [
        (),
        ("{python} slim",),
        ("{python} full",),
        ("{python} slim", "{python} full"),
        ("3.10 slim", "3.10 full"),
        ("3.13 slim", "3.13 full"),
    ],
)
@pytest.mark.parametrize("kind", ["one_argument.pkl", "plain.pkl", "pickle of a torch module"])
def test_a_fleet_and_a_single_run_choose_the_same(monkeypatch, tmp_path, python, available, kind):
    model = MODELS / f"py{python}" / kind
    if kind == "plain.pkl":  # no code: legal for every Python
        model = tmp_path / kind
        model.write_bytes(pickle.dumps(operator.itemgetter(0)))
    elif kind.startswith("pickle of"):
        model = tmp_path / "torch.pkl"
        model.write_bytes(b"ctorch.nn\nLinear\n.")
    wanted = {name.format(python=python) for name in available}
    names = {each.image for each in IMAGES if f"{each.python} {each.flavour}" in wanted}
    monkeypatch.setattr(Engine, "detect", lambda _: _Engine(names))
    single = choose_target(str(model))
    chosen = choose_environment(here(*names), inspect_pickle(model), None, None)
    assert chosen.image == (single.image.name if isinstance(single, ContainerImage) else None)


def test_a_model_of_another_python_whose_image_is_missing_fails_with_what_builds_it():
    other = "3.10" if RUNNING_PYTHON != "3.10" else "3.11"
    entry = ManifestEntry("a", str(MODELS / f"py{other}" / "one_argument.pkl"), Limits())
    with closing(Preparer(here("numerai_predict_py_3_13:latest"), Deadline())) as preparer:
        (prepared,) = preparer.prepare_each([entry], 1)
    assert isinstance(prepared, PreparationFailure)
    assert prepared.record.verdict == "python_mismatch"
    assert f"build it with `make build_slim_{other.replace('.', '_')}`, or pull it" in (
        prepared.record.remedy
    )


def test_a_row_that_names_an_image_gets_no_local_python(inspection):
    names = f"numerai_predict_py_{RUNNING_PYTHON.replace('.', '_')}:latest"
    chosen = choose_environment(here(names), inspection, RUNNING_PYTHON, "full")
    assert chosen.image == names
    with pytest.raises(PythonMismatch):
        choose_environment(here(names), inspection, RUNNING_PYTHON, "slim")
