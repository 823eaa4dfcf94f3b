"""Live data is fetched once; missing benchmarks fail only the models that take them."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.fleet import live_data
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


INDEX = {"name": "id", "field_name": "id", "pandas_type": "unicode", "numpy_type": "object"}
ID_AS_INDEX = {
    "pandas": json.dumps({"index_columns": ["id"], "columns": [INDEX], "column_indexes": []})
}
KINDS = {
    "text": lambda: pa.array(["x" * 1_000_000] * 1000),
    "lists": lambda: pa.array([["x" * 1_000_000]] * 1000),
    "bytes": lambda: pa.array([b"x" * 1_000_000] * 1000),
}


@pytest.fixture(params=KINDS)
def packed(request, tmp_path):
    """A file of some kilobytes, whose rows take 1 GB."""
    path = tmp_path / "packed.parquet"
    ids = [f"n{number}" for number in range(1000)]
    frame = pa.table({"id": ids, "feature_text": KINDS[request.param]()})
    pq.write_table(frame.replace_schema_metadata(ID_AS_INDEX), path, compression="zstd")
    assert path.stat().st_size < 2_000_000
    return path


@pytest.mark.process
def test_data_that_no_worker_can_unpack_stop_the_fleet_run(fetch, packed, monkeypatch):
    """Before workers start: each would fail, and no model would have a verdict."""
    monkeypatch.setattr(live_data, "OVERHEAD_BYTES", 600 * 1024**2)
    with pytest.raises(DatasetUnavailable, match=r"a worker can read within 600.0 MiB of memory"):
        fetch(dataset=packed)


@pytest.mark.process
def test_benchmarks_that_no_worker_can_unpack_fail_only_those_who_take_them(
    fetch, packed, monkeypatch
):
    monkeypatch.setattr(live_data, "OVERHEAD_BYTES", 600 * 1024**2)
    message, _ = fetch(benchmarks=packed).no_benchmarks
    assert "packed.parquet needs more once it is unpacked" in message


def test_data_that_pandas_cannot_convert_stop_the_fleet_run(fetch, tmp_path):
    path = tmp_path / "odd.parquet"
    metadata = {"pandas": '{"index_columns": ["id"], "columns": []}'}
    pq.write_table(pa.table({"id": ["n1", "n2"]}).replace_schema_metadata(metadata), path)
    with pytest.raises(DatasetUnavailable, match=r"pandas can read, found a file that it cannot"):
        fetch(dataset=path)


def test_usual_data_are_not_read_for_it(fetch, monkeypatch):
    monkeypatch.setattr(live_data, "probe", None)
    assert fetch().no_benchmarks is None
