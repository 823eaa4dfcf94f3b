"""The live data of a fleet run: fetched once, and passed to every node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, FetchFailed
from numerai_predict.contract.record import DataFacts
from numerai_predict.contract.redaction import redact
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.node_files import NodeFile, to_node
from numerai_predict.runner.live_data import read_ids, read_shape
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.sources import source_of


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
        """Live data and benchmarks for a worker actor: paths on this node, bytes for another."""
        benchmarks = None if self.benchmarks is None else to_node(self.benchmarks, is_local)
        return to_node(self.live, is_local), benchmarks


def fetch_data(config: FleetConfig, folder: Path, deadline: Deadline) -> LiveData:
    """Fetch the data that all models receive.

    Raises:
        DatasetUnavailable: there is no live data, or it cannot be read.
    """
    live, facts = _fetch(config, config.dataset, folder / "live", deadline)
    read_ids(live, redact(config.dataset))
    try:
        path, benchmark_facts = _fetch(config, config.benchmarks, folder / "benchmarks", deadline)
    except DatasetUnavailable as error:
        source = DataFacts(redact(config.benchmarks))
        return LiveData(live, facts, None, source, (error.message, error.remedy))
    return LiveData(live, facts, path, benchmark_facts)


def _fetch(
    config: FleetConfig, source: str, folder: Path, deadline: Deadline
) -> tuple[Path, DataFacts]:
    folder.mkdir()
    try:
        path = source_of(source, config.dataset_folders).fetch(folder, TransferPolicy(deadline))
    except FetchFailed as error:
        raise DatasetUnavailable(error.message, error.remedy) from error
    except OSError as error:
        raise DatasetUnavailable(
            f"expected to fetch the data, found: {error.strerror}",
            "check the disk that holds the temporary files (TMPDIR), then try again",
        ) from error
    shape = read_shape(path, redact(source))
    return path, DataFacts(redact(source), sha256_of(path), shape.rows, shape.columns)
