"""Preparation gives a model its file and environment, or the record of its failure."""

import functools
import time
from contextlib import closing

import pytest
from bundles import write_bundle

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.preparation import PreparationFailure, PreparedModel, Preparer
from numerai_predict.runner.bundle_data import ModelInput

LOCAL_PYTHON = Environment(RUNNING_PYTHON, LOCAL)


def predict(live_features):
    return live_features


@pytest.fixture
def preparer():
    with closing(Preparer([LOCAL_PYTHON], Deadline())) as opened:
        yield opened


@pytest.fixture
def prepare(preparer):
    return functools.partial(_prepare, preparer)


def _prepare(preparer, model, **requirements):
    preparer.submit(ManifestEntry("m", str(model), Limits(), **requirements))
    until = time.monotonic() + 30
    while not (completed := preparer.take_completed()):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert len(preparer) == 0
    return completed[0]


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


def test_a_bundle_is_compared_with_its_manifest(prepare, pickle_model):
    path = write_bundle(pickle_model(predict))
    assert isinstance(prepare(path), PreparedModel)
    path.write_bytes(path.read_bytes() + b" ")
    failure = prepare(path)
    assert failure.record.verdict == "model_unavailable"
    assert "expected the pickle of its manifest" in failure.record.message
    failure = prepare(write_bundle(path, {"python": "3.1"}))
    assert failure.record.verdict == "python_mismatch"


@pytest.mark.parametrize("allowed", [True, False])
def test_data_of_another_version_than_the_bundles_are_refused_or_allowed(allowed, pickle_model):
    data = ModelInput("v5.1/live.parquet", allow_mismatch=allowed)
    path = write_bundle(pickle_model(predict))
    with closing(Preparer([LOCAL_PYTHON], Deadline(), data)) as preparer:
        result = _prepare(preparer, path)
    found = "version v5.1 in place of v5.2"
    if allowed:
        assert found in result.record.warnings[0]
    else:
        assert result.record.verdict == "dataset_unavailable"
        assert found in result.record.message


def test_a_model_that_no_environment_satisfies_has_the_verdict_of_its_python(prepare, pickle_model):
    failure = prepare(pickle_model(predict), python="2.7")
    assert isinstance(failure, PreparationFailure)
    assert failure.record.verdict == "python_mismatch"
    assert "expected an environment of Python 2.7" in failure.record.message


def test_the_files_of_a_failure_are_removed(preparer, prepare, tmp_path):
    assert isinstance(prepare(tmp_path / "none.pkl"), PreparationFailure)
    assert [path.name for path in preparer._directory.path.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(OSError(28, "No space left"), "save_failed"), (KeyError("x"), "internal_error")],
)
@pytest.mark.parametrize("name", ["tempfile.mkdtemp", "fetch_model", "inspect_pickle"])
def test_whatever_fails_fails_the_model_alone(
    monkeypatch, prepare, pickle_model, name, error, verdict
):
    path = pickle_model(predict)

    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(f"numerai_predict.fleet.preparation.{name}", fail)
    failure = prepare(path)
    assert isinstance(failure, PreparationFailure)
    assert failure.record.verdict == verdict
