"""The tree engine of an image predicts what the libraries of that image predict."""

import json
import shutil
from pathlib import Path

import pytest

from numerai_predict.contract.container_run import BindMount

FOLDER = Path(__file__).parents[1] / "acceleration"
PACKAGE = Path(__file__).parents[2] / "numerai_predict"

pytestmark = pytest.mark.timeout(300)


def test_random_models_are_predicted_bit_for_bit_by_the_engine_of_the_image(image):
    ended = image.run(
        "/random/equality_run.py",
        "/usr/local/share/numerai-predict",
        3_000,
        60,
        mounts=(BindMount(FOLDER, "/random"),),
        environment={"OMP_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stderr
    counts = json.loads(ended.stdout.splitlines()[-1])
    assert sum(found["different"] for found in counts.values()) == 0, counts
    assert counts["lightgbm"]["engine"] >= 17, counts
    assert counts["xgboost"]["engine"] >= 6, counts
    assert counts["catboost"]["engine"] >= 6, counts


def test_a_mounted_package_without_an_engine_uses_that_of_the_image(image, tmp_path):
    package = tmp_path / "numerai_predict"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    program = (
        "import sys; sys.path.insert(0, '/opt/numerai-predict'); "
        "from numerai_predict.acceleration import engine; "
        "assert engine.__file__.startswith('/opt/'); assert not engine.ENGINE.exists(); "
        "print(engine.library() is not None)"
    )
    mount = BindMount(package, "/opt/numerai-predict/numerai_predict")
    ended = image.run("-c", program, mounts=(mount,))
    assert ended.stdout.split() == ["True"], ended.stderr
