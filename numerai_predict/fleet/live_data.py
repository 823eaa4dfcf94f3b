"""The live data of a fleet run: fetched once, and passed to every node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.record import DataFacts
from numerai_predict.contract.redaction import redact
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.node_files import NodeFile, to_node
from numerai_predict.runner.fetching import fetch_data
from numerai_predict.runner.live_data import read_ids, read_shape


@dataclass(frozen=True)
class LiveData:
    """The files of live data and benchmark models' predictions on this machine.

    `no_benchmarks` is the message and the remedy if they could not be fetched: models that take
    them fail with it.
    """

    live: Path
    facts: DataFacts
    benchmarks: Path | None
    benchmark_facts: DataFacts
    no_benchmarks: tuple[str, str] | None = None

    def for_node(self, is_local: bool) -> tuple[NodeFile, NodeFile | None]:
        """Live data and benchmarks for a worker actor: paths on this node, else bytes."""
        benchmarks = None if self.benchmarks is None else to_node(self.benchmarks, is_local)
        return to_node(self.live, is_local), benchmarks


def fetch_live_data(config: FleetConfig, directory: Path, deadline: Deadline) -> LiveData:
    """Fetch the data that all models receive into the directory.

    Raises:
        DatasetUnavailable: there is no live data, or it cannot be read.
        DeadlinePassed: the deadline passed.
    """
    folders = config.dataset_folders
    live = fetch_data(config.dataset, folders, deadline, directory, "live")
    facts = live.as_data(read_shape(live.path, live.source))
    read_ids(live.path, live.source)
    try:
        benchmarks = fetch_data(config.benchmarks, folders, deadline, directory, "benchmarks")
        benchmark_facts = benchmarks.as_data(read_shape(benchmarks.path, benchmarks.source))
    except DatasetUnavailable as error:
        source = DataFacts(redact(config.benchmarks))
        return LiveData(live.path, facts, None, source, (error.message, error.remedy))
    return LiveData(live.path, facts, benchmarks.path, benchmark_facts)
