"""The data of a round: fetched once, and handed to every machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, FetchFailed
from numerai_predict.contract.record import DataFacts
from numerai_predict.contract.redaction import redact
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.pool.actor import File
from numerai_predict.runner.live_data import read_ids, read_shape
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.sources import source_of


@dataclass
class LiveData:
    """Where live data and benchmarks lie on this machine.

    `no_benchmarks` says why there are none, as message and remedy: models that take them fail
    with it, others do not need to know.
    """

    live: Path
    facts: DataFacts
    benchmarks: Path | None
    benchmark_facts: DataFacts
    no_benchmarks: tuple[str, str] | None = None

    def for_machine(self, is_here: bool) -> tuple[File, File | None]:
        """Live data and benchmarks as a foreman takes them: paths here, bytes elsewhere."""
        benchmarks = None if self.benchmarks is None else _handed(self.benchmarks, is_here)
        return _handed(self.live, is_here), benchmarks


def _handed(path: Path, is_here: bool) -> File:
    return str(path) if is_here else path.read_bytes()


def fetch_data(orders: FleetConfig, folder: Path, deadline: Deadline) -> LiveData:
    """Fetch what all models of the round are given.

    Raises:
        DatasetUnavailable: there is no live data, or it cannot be read.
    """
    live, facts = _fetch(orders, orders.dataset, folder / "live", deadline)
    read_ids(live, redact(orders.dataset))
    try:
        path, benchmark_facts = _fetch(orders, orders.benchmarks, folder / "benchmarks", deadline)
    except DatasetUnavailable as error:
        source = DataFacts(redact(orders.benchmarks))
        return LiveData(live, facts, None, source, (error.message, error.remedy))
    return LiveData(live, facts, path, benchmark_facts)


def _fetch(
    orders: FleetConfig, source: str, folder: Path, deadline: Deadline
) -> tuple[Path, DataFacts]:
    folder.mkdir()
    try:
        path = source_of(source, orders.cache).fetch(folder, TransferPolicy(deadline))
    except FetchFailed as error:
        raise DatasetUnavailable(error.message, error.remedy) from error
    except OSError as error:
        raise DatasetUnavailable(
            f"expected to fetch the data, found: {error.strerror}",
            "look at the disk that holds the temporary files (TMPDIR), then try again",
        ) from error
    shape = read_shape(path, redact(source))
    return path, DataFacts(redact(source), sha256_of(path), shape.rows, shape.columns)
