"""What a round is to be: read once from the command line, passed down."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from pathlib import Path

import numerai_predict
from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.fleet.manifest import ManifestEntry


@dataclass(frozen=True)
class FleetConfig:
    """A round: its data, its limits, where its results go.

    `output_dir` gets predictions, records, logs and the ledger. `workers` bounds how many models
    run at once over all machines. `address` is that of a Ray cluster, `None` for this machine.
    `deadline` is in seconds for the whole round. `only` are ids, all models where it is empty.
    """

    output_dir: Path
    dataset: str = field(repr=False)
    benchmarks: str = field(repr=False)
    cache: Path | None = None
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox = Sandbox.AUTO
    deadline: float | None = None
    workers: int | None = None
    address: str | None = None
    retry_failed: bool = False
    only: frozenset[str] = frozenset()
    models_a_worker: int = 500
    engine: str | None = None
    debug: bool = False

    @property
    def predictions(self) -> Path:
        """Where the CSVs lie."""
        return self.output_dir / "predictions"

    def csv_of(self, name: str) -> Path:
        """Where a model's predictions lie."""
        return self.predictions / f"{name}.csv"

    def job_of(self, entry: ManifestEntry) -> Job:
        """The single run that a model's would be."""
        return Job(
            entry.model,
            self.dataset,
            self.benchmarks,
            self.predictions,
            cache=self.cache,
            post=entry.post,
            limits=entry.limits,
            sandbox=self.sandbox,
        )

    def new_record(self) -> Record:
        """A record in which nothing has happened."""
        return Record(
            environment=EnvironmentFacts(
                python=platform.python_version(), image=None, runner=numerai_predict.__version__
            )
        )
