"""Whether data fit into a memory limit is found out without the model, or left unsaid."""

import subprocess

import pandas as pd
import pytest

from numerai_predict.contract.errors import DatasetUnavailable, OutOfMemory
from numerai_predict.runner.child.data_probe import ProbeExit
from numerai_predict.runner.supervisor import data_probe

LIMIT = 400 * 1024**2


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "live.parquet"
    pd.DataFrame({"feature_a": [0.5] * 1000}).to_parquet(path)
    return path


@pytest.fixture
def large_data(tmp_path):
    """300 KB that unpack to 800 MB."""
    path = tmp_path / "large.parquet"
    pd.DataFrame({"feature_a": 0.5}, index=range(100_000_000)).to_parquet(path)
    return path


@pytest.fixture
def ended(monkeypatch):
    """Makes the process of the probe end with a status, or not start."""

    def end(returncode):
        def run(argv, **_):
            if returncode is None:
                raise OSError("Cannot allocate memory")
            return subprocess.CompletedProcess(argv, returncode)

        monkeypatch.setattr(data_probe.subprocess, "run", run)

    return end


@pytest.mark.process
def test_small_data_are_readable_and_large_data_are_too_large(data, large_data):
    assert data_probe.probe(data, LIMIT) is ProbeExit.READABLE
    assert data_probe.probe(large_data, LIMIT) is ProbeExit.TOO_LARGE
    assert data_probe.probe(large_data.with_name("missing"), LIMIT) is ProbeExit.UNREADABLE


@pytest.mark.parametrize("returncode", [None, 1, 2, -6, -11, 120])
def test_a_probe_that_fails_by_itself_leaves_the_model_to_blame(ended, data, returncode):
    ended(returncode)
    with (
        pytest.raises(OutOfMemory, match="the model"),
        data_probe.detect_oversized_data({data: "live.parquet"}, LIMIT),
    ):
        raise OutOfMemory("the model exceeded its limit", "use less")


@pytest.mark.parametrize("returncode", [ProbeExit.TOO_LARGE, -9])
def test_data_that_do_not_fit_without_the_model_are_to_blame(ended, data, returncode):
    ended(returncode)
    with (
        pytest.raises(DatasetUnavailable, match=r"live\.parquet cannot be read"),
        data_probe.detect_oversized_data({data: "live.parquet"}, LIMIT),
    ):
        raise OutOfMemory("the model exceeded its limit", "use less")
