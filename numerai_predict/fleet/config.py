"""The configuration of a fleet run: read once from the command line, passed down."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from pathlib import Path

import numerai_predict
from numerai_predict.contract.job import NO_FOLDERS, DatasetFolders, Job
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.fleet.manifest import ManifestEntry


@dataclass(frozen=True)
class RetryLimits:
    """How often a fleet run repeats what failed, before it gives up.

    Attributes:
        worker_crashes: a model fails when this many workers crashed while they ran it.
        worker_starts: attempts to start a worker, before its environment counts as unavailable
            on the node.
        actor_restarts: how often Ray restarts a worker actor that crashed.
        delivery_restarts: how often the delivery process is started again without a delivery in
            between, before the fleet run stops. The predictions stay: the next one sends them.
    """

    worker_crashes: int = 6
    worker_starts: int = 3
    actor_restarts: int = 3
    delivery_restarts: int = 5


@dataclass(frozen=True)
class FleetConfig:
    """A fleet run: its data, its limits, its output directory, and how it is scheduled.

    Attributes:
        output_dir: gets predictions, records, logs and the ledger.
        dataset: source of the live data.
        benchmarks: source of the benchmark models' predictions.
        cache: directory for tournament data sets, `None` for none.
        limits: limits of a model whose manifest row has none.
        sandbox: isolation of the models.
        deadline: seconds for the whole fleet run, `None` for no deadline.
        concurrency: maximum of models that run at once on all nodes, `None` for no maximum.
        ray_address: address of a Ray cluster, `None` for an embedded one on this machine.
        retry_failed: whether to run models again that failed in an earlier fleet run.
        only: ids of the models to run, empty for all.
        models_per_worker: a worker is replaced after this many models.
        engine: command of the container engine, `None` to run models in the local Python.
        debug: whether the logs of models have details.
        models_ahead: how many models may be prepared, or in preparation, before workers are free.
        max_worker_growth_bytes: a worker whose memory grew by more is replaced.
        retries: bounds on retries.
    """

    output_dir: Path
    dataset: str = field(repr=False)
    benchmarks: str = field(repr=False)
    dataset_folders: DatasetFolders = NO_FOLDERS
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox = Sandbox.AUTO
    deadline: float | None = None
    concurrency: int | None = None
    ray_address: str | None = None
    retry_failed: bool = False
    only: frozenset[str] = frozenset()
    models_per_worker: int = 500
    engine: str | None = None
    debug: bool = False
    models_ahead: int = 64
    max_worker_growth_bytes: int = 512 * 1024**2
    retries: RetryLimits = RetryLimits()

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
            dataset_folders=self.dataset_folders,
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
