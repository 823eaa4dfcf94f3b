"""Preparation gives a model its file and environment, or the record of its failure."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.preparation import PreparationFailure, PreparedModel, Preparer

LOCAL_PYTHON = Environment(RUNNING_PYTHON, LOCAL)


def predict(live_features):
    return live_features


@pytest.fixture
def preparer():
    with closing(Preparer([LOCAL_PYTHON], Deadline())) as opened:
        yield opened


@pytest.fixture
def prepare(preparer):
    def prepare(model, **requirements):
        preparer.submit(ManifestEntry("m", str(model), Limits(), **requirements))
        until = time.monotonic() + 30
        while not (completed := preparer.take_completed()):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert len(preparer) == 0
        return completed[0]

    return prepare


def test_a_prepared_model_has_its_file_environment_and_facts(prepare, pickle_model):
    path = pickle_model(predict)
    model = prepare(path)
    assert isinstance(model, PreparedModel)
    assert (model.path, model.environment) == (path, LOCAL_PYTHON)
    assert model.record.model.bytes == path.stat().st_size
    assert RUNNING_PYTHON in model.record.model.python
    assert model.record.seconds.fetch is not None


@pytest.mark.parametrize(
    ("content", "verdict"), [(b"not a pickle", "invalid_pickle"), (None, "model_unavailable")]
)
def test_a_failure_has_the_verdict(prepare, tmp_path, content, verdict):
    path = tmp_path / "model.pkl"
    if content is not None:
        path.write_bytes(content)
    failure = prepare(path)
    assert isinstance(failure, PreparationFailure)
    assert failure.record.verdict == verdict
    assert failure.record.model.source == str(path)


def test_a_model_that_no_environment_satisfies_has_the_verdict_of_its_python(prepare, pickle_model):
    failure = prepare(pickle_model(predict), python="2.7")
    assert isinstance(failure, PreparationFailure)
    assert failure.record.verdict == "python_mismatch"
    assert "expected an environment of Python 2.7" in failure.record.message


def test_the_files_of_a_failure_are_removed(preparer, prepare, tmp_path):
    assert isinstance(prepare(tmp_path / "none.pkl"), PreparationFailure)
    assert list(Path(preparer._directory.name).iterdir()) == []
