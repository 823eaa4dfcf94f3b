"""The configuration of a fleet run: read once from the command line, passed down."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from numerai_predict.contract.job import NO_FOLDERS, DatasetFolders
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.sandbox import Sandbox


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
        dataset_folders: directories in which data sets are found by name.
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
        hosted: whether models and predictions fail that hosted compute would refuse.
        acceleration: whether tree models may be predicted by the engine.
        page: whether the HTML report is written while the fleet run goes on.
        models_ahead: how many models may be prepared, or in preparation, before workers are free.
        max_worker_growth_bytes: a worker whose memory grew by more is replaced.
        retries: bounds on retries.
        allow_version_mismatch: whether data of another version than a bundle's are allowed.
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
    hosted: bool = False
    acceleration: bool = True
    page: bool = False
    models_ahead: int = 64
    max_worker_growth_bytes: int = 512 * 1024**2
    retries: RetryLimits = RetryLimits()
    allow_version_mismatch: bool = False

    def csv_path(self, model_id: str) -> Path:
        """The file of a model's predictions."""
        return self.output_dir / "predictions" / f"{model_id}.csv"
