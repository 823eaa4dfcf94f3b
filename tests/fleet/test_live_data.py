"""Live data is fetched once; missing benchmarks fail only the models that take them."""

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.live_data import fetch_live_data


@pytest.fixture
def fetch(tmp_path, sample):
    def fetch(dataset="live.parquet", benchmarks="live_benchmark_models.parquet"):
        config = FleetConfig(tmp_path, str(sample / dataset), str(sample / benchmarks))
        directory = tmp_path / "fetched"
        directory.mkdir()
        return fetch_live_data(config, directory, Deadline())

    return fetch


def test_both_files_have_their_facts(fetch, sample):
    data = fetch()
    copies = (data.live, "live.parquet"), (data.benchmarks, "live_benchmark_models.parquet")
    for copy, name in copies:
        assert copy != sample / name
        assert copy.read_bytes() == (sample / name).read_bytes()
    assert data.facts.rows == data.benchmark_facts.rows
    assert data.facts.source == str(sample / "live.parquet")
    assert data.no_benchmarks is None


def test_a_local_node_gets_paths_and_another_node_bytes(fetch):
    data = fetch()
    assert data.for_node(is_local=True) == (str(data.live), str(data.benchmarks))
    assert data.for_node(is_local=False)[0] == data.live.read_bytes()


def test_missing_benchmarks_are_kept_as_message_and_remedy(fetch):
    data = fetch(benchmarks="none.parquet")
    assert data.benchmarks is None
    message, remedy = data.no_benchmarks
    assert "none.parquet" in message
    assert remedy


def test_missing_live_data_stops_the_fleet_run(fetch):
    with pytest.raises(DatasetUnavailable, match=r"none\.parquet"):
        fetch(dataset="none.parquet")
