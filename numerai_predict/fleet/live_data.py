"""The live data of a fleet run: fetched once, and passed to every node."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.record import DataFacts
from numerai_predict.contract.redaction import redact
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.data_watch import WatchedFile
from numerai_predict.fleet.errors import DataChanged
from numerai_predict.fleet.node_files import NodeFile, to_node
from numerai_predict.fleet.worker.messages import OVERHEAD_BYTES
from numerai_predict.runner.child.data_probe import ProbeExit
from numerai_predict.runner.fetching import FetchedFile, fetch_data
from numerai_predict.runner.live_data import Shape, most_bytes, read_ids, read_shape, require_memory
from numerai_predict.runner.supervisor.data_probe import probe
from numerai_predict.storage.files import resolve_links, sha256_of

_COPIES = 2  # of the data, while pandas converts what pyarrow has read


@dataclass(frozen=True)
class LiveData:
    """The files of live data and benchmark models' predictions on this machine.

    Both are the fleet run's own: what the user named is copied, and `watched` for changes.
    `columns` are the names of the live data's columns. `no_benchmarks` is the message and the
    remedy if they could not be fetched: models that take them fail with it.
    """

    live: Path
    facts: DataFacts
    benchmarks: Path | None
    benchmark_facts: DataFacts
    no_benchmarks: tuple[str, str] | None = None
    columns: frozenset[str] = frozenset()
    watched: tuple[WatchedFile, ...] = ()

    def for_node(self, is_local: bool) -> tuple[NodeFile, NodeFile | None]:
        """Live data and benchmarks for a worker actor: paths on this node, else bytes."""
        benchmarks = None if self.benchmarks is None else to_node(self.benchmarks, is_local)
        return to_node(self.live, is_local), benchmarks


def fetch_live_data(config: FleetConfig, directory: Path, deadline: Deadline) -> LiveData:
    """Fetch the data that all models receive into the directory.

    Raises:
        DatasetUnavailable: there is no live data, or it cannot be read.
        DeadlinePassed: the deadline passed.
        DataChanged: a file changed while it was read.
    """
    folders = config.dataset_folders
    live = fetch_data(config.dataset, folders, deadline, directory, "live")
    path, watched = _own_copy(live, directory / "live", "live data")
    shape = read_shape(path, live.source)
    facts = live.as_data(shape)
    _require_memory(path, live.source, shape)
    read_ids(path, live.source)
    try:
        found = fetch_data(config.benchmarks, folders, deadline, directory, "benchmarks")
        benchmarks, more = _own_copy(found, directory / "benchmarks", "benchmark models")
        benchmark_shape = read_shape(benchmarks, found.source)
        benchmark_facts = found.as_data(benchmark_shape)
        _require_memory(benchmarks, found.source, benchmark_shape)
    except DatasetUnavailable as error:
        source, reason = DataFacts(redact(config.benchmarks)), (error.message, error.remedy)
        return LiveData(path, facts, None, source, reason, shape.names, watched)
    return LiveData(path, facts, benchmarks, benchmark_facts, None, shape.names, watched + more)


def _require_memory(path: Path, source: str, shape: Shape) -> None:
    """Require that a worker can read the data, before one starts.

    Data that may take more than their metadata state, which only text can, are read for this.

    Raises:
        DatasetUnavailable: no worker can.
    """
    require_memory(shape, OVERHEAD_BYTES, source)
    try:
        pq.read_schema(path).empty_table().to_pandas()
    except Exception as error:  # whatever it is, each worker would raise it
        raise _not_readable(source) from error
    if _COPIES * most_bytes(path, source) <= OVERHEAD_BYTES:
        return
    found = probe(path, OVERHEAD_BYTES)
    if found is ProbeExit.TOO_LARGE:
        raise DatasetUnavailable(
            f"expected data that a worker can read within {format_size(OVERHEAD_BYTES)} of memory, "
            f"found that {source} needs more once it is unpacked",
            "use the tournament's own file as it was downloaded, or run the models one by one: "
            "numerai-predict run --memory",
        )
    if found is ProbeExit.UNREADABLE:
        raise _not_readable(source)


def _not_readable(source: str) -> DatasetUnavailable:
    return DatasetUnavailable(
        f"expected data that pandas can read, found a file that it cannot convert: {source}",
        "use the tournament's own file as it was downloaded, or write yours with pandas: "
        "frame.to_parquet(path)",
    )


def _own_copy(
    fetched: FetchedFile, directory: Path, what: str
) -> tuple[Path, tuple[WatchedFile, ...]]:
    """The file in `directory`, and the local file that it is a copy of, if there is one."""
    if resolve_links(fetched.path.parent) == resolve_links(directory):
        return fetched.path, ()
    copy = directory / fetched.path.name
    shutil.copyfile(fetched.path, copy)
    if sha256_of(copy) != fetched.sha256:
        raise DataChanged(what, fetched.path)
    return copy, (WatchedFile(what, fetched.path, fetched.sha256),)
