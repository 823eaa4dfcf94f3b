"""A bundle that is made for an image's Python predicts the same in each of its flavours."""

import os

import pytest
from trainings import SHAPE, Training

from numerai_predict.data.synthetic import write_sample

pytestmark = pytest.mark.timeout(600)

DOCKER = os.environ.get("DOCKER", "docker")


@pytest.fixture(scope="session")
def history(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history") / "sample"
    write_sample(folder, SHAPE)
    return folder


@pytest.mark.parametrize("trainer", ["lightgbm", "xgboost", "catboost"])
def test_a_bundle_is_packed_and_tried_in_its_image(
    image, trainer, history, predict, output, tmp_path
):
    training = Training(
        tmp_path / "training",
        history,
        trainer=trainer,
        seeds=[42],
        rounds=20,
        python=image.version,
        output="model",  # as the default is: no absolute path
        validation={"windows": 1},
    )
    ended = training.succeeds(variables={"DOCKER": DOCKER})
    assert "equal the trained models'" in ended.text
    assert training.manifest()["model"]["python"] == image.version
    flavours = [each for each in (image, image.other_flavour()) if each.is_built()]
    for each in flavours:
        run = predict(training.output / "model.pkl", of=each)
        assert run.returncode == 0, run.stderr
    made = {path.read_bytes() for path in output.glob("live_predictions-*.csv")}
    assert len(made) == 1
