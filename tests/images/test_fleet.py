"""The fleet in containers: its predictions, and the isolation of a model in a worker."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.fleet.environments import Environment

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/attacks"))

import stage  # noqa: E402
from warm_stage import LEAVES, warm_stage  # noqa: E402

pytestmark = pytest.mark.timeout(900)


def test_a_fleet_predicts_what_single_runs_do(image, example, predict, output, fleet, tmp_path):
    if image.flavour != "slim":
        pytest.skip("a fleet sends these pickles to the slim images")
    models = tmp_path / "models"
    models.mkdir()
    names = [path.stem for path in example("*").parent.glob("*.pkl")]
    for name in names:
        shutil.copy(example(name), models / f"{name}.pkl")
    ended, folder = fleet(models)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    for name in names:
        single = predict(example(name))
        assert single.returncode == 0, single.stderr
        (csv,) = output.glob("live_predictions-*.csv")
        record = json.loads((folder / "records" / f"{name}.json").read_text())
        assert record["environment"]["python"].startswith(image.version)
        assert (folder / "predictions" / f"{name}.csv").read_bytes() == csv.read_bytes()
        csv.unlink()


@pytest.fixture
def short_folder():
    """A directory with a path so short that a socket's path fits into it."""
    with tempfile.TemporaryDirectory(prefix="warm-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_no_attempt_to_break_out_of_a_worker_succeeds(image, inputs, short_folder):
    if (image.version, image.flavour) != (RUNNING_PYTHON, "slim"):
        pytest.skip(f"the attempts are pickled here, by Python {RUNNING_PYTHON}")
    environment = Environment(image.version, image.flavour, image.reference)
    with warm_stage(short_folder, inputs, environment) as warm:
        outcomes = [warm.play(name) for name in (*stage.attempts.REACHES, *LEAVES)]
    assert [outcome for outcome in outcomes if outcome.result == "escaped"] == []
