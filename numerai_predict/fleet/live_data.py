"""The live data of a fleet run: fetched once, and passed to every node."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.record import DataFacts
from numerai_predict.contract.redaction import redact
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.data_watch import WatchedFile
from numerai_predict.fleet.errors import DataChanged
from numerai_predict.fleet.node_files import NodeFile, to_node
from numerai_predict.fleet.worker.messages import OVERHEAD_BYTES
from numerai_predict.runner.fetching import FetchedFile, fetch_data
from numerai_predict.runner.live_data import read_ids, read_shape, require_memory
from numerai_predict.storage.files import sha256_of


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
    require_memory(shape, OVERHEAD_BYTES, live.source)
    read_ids(path, live.source)
    try:
        found = fetch_data(config.benchmarks, folders, deadline, directory, "benchmarks")
        benchmarks, more = _own_copy(found, directory / "benchmarks", "benchmark models")
        benchmark_facts = found.as_data(read_shape(benchmarks, found.source))
    except DatasetUnavailable as error:
        source, reason = DataFacts(redact(config.benchmarks)), (error.message, error.remedy)
        return LiveData(path, facts, None, source, reason, shape.names, watched)
    return LiveData(path, facts, benchmarks, benchmark_facts, None, shape.names, watched + more)


def _own_copy(
    fetched: FetchedFile, directory: Path, what: str
) -> tuple[Path, tuple[WatchedFile, ...]]:
    """The file in `directory`, and the local file that it is a copy of, if there is one."""
    if fetched.path.parent.resolve() == directory.resolve():
        return fetched.path, ()
    copy = directory / fetched.path.name
    shutil.copyfile(fetched.path, copy)
    if sha256_of(copy) != fetched.sha256:
        raise DataChanged(what, fetched.path)
    return copy, (WatchedFile(what, fetched.path, fetched.sha256),)
