"""A fleet run in one output directory: locks it, resumes what was interrupted, runs the rest."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.record import Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.delivery.queue import wait_for_delivery_process
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.errors import DirectoryInUse, FleetError, NoCapacity
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.live_data import fetch_live_data
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.pool.ray_cluster import RayCluster
from numerai_predict.fleet.progress_display import FleetDisplay, ProgressMeter
from numerai_predict.fleet.record_files import write_record
from numerai_predict.fleet.scheduler import Scheduler
from numerai_predict.runner.submission_file import require_directory
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.storage.file_lock import LockHeld, LockUnsupported, file_lock

_LOCK = ".fleet.lock"
_SUBDIRECTORIES = ("predictions", "records", "logs")


@dataclass(frozen=True)
class _Pending:
    """Models that have not ended: to be run, and to be delivered only."""

    to_run: list[ManifestEntry]
    to_deliver: list[ManifestEntry]


def run_fleet(
    config: FleetConfig,
    entries: Sequence[ManifestEntry],
    environments: list[Environment],
    display: FleetDisplay,
) -> bool:
    """Run every model that has not ended yet; whether all ended before the deadline.

    Raises:
        DirectoryInUse: another fleet run, or its delivery process, uses the directory.
        RunError: the live data cannot be fetched, or the directory cannot be written.
        FleetError: there are no nodes or workers that can run the models.
        ConnectionError: there is no Ray cluster at the address.
    """
    require_directory(config.output_dir)
    deadline = Deadline.after(config.deadline)
    harden_supervisor()
    with (
        _exclusive(config.output_dir),
        contextlib.closing(FleetLedger(config.output_dir)) as ledger,
    ):
        for name in _SUBDIRECTORIES:
            (config.output_dir / name).mkdir(exist_ok=True)
        pending = _resume(config, ledger, entries)
        display.begin(ProgressMeter(ledger, len(entries), deadline))
        if not pending.to_run and not pending.to_deliver:
            return True
        with tempfile.TemporaryDirectory(prefix="numerai-fleet-") as directory:
            data = fetch_live_data(config, Path(directory), deadline)
            cluster = RayCluster(config.ray_address, config.retries.actor_restarts)
            with contextlib.closing(cluster):
                _check_memory(pending.to_run, cluster)
                scheduler = Scheduler(config, ledger, cluster, data, environments, deadline)
                undeliverable = scheduler.resume_deliveries(pending.to_deliver)
                return scheduler.run([*pending.to_run, *undeliverable], display.update)


def _check_memory(entries: Sequence[ManifestEntry], cluster: RayCluster) -> None:
    """Fail if the memory limit of a model exceeds the memory of every node."""
    largest = max((node.memory_bytes for node in cluster.nodes()), default=0)
    for entry in entries:
        limit = entry.limits.memory_bytes
        if limit is not None and limit > largest:
            raise NoCapacity(
                f"{entry.id}: expected a node with {limit / 1024**3:.1f} GiB for the model, "
                f"found {largest / 1024**3:.1f} GiB at most: lower its memory or --memory, "
                "or add nodes"
            )


def _resume(config: FleetConfig, ledger: FleetLedger, entries: Sequence[ManifestEntry]) -> _Pending:
    """Bring the ledger to the start of this fleet run; returns the models that have not ended."""
    ledger.set_meta("started", str(time.time()))
    ledger.add_models(entry.id for entry in entries)
    interrupted = (ModelState.RUNNING, ModelState.INSPECTED, ModelState.LOST)
    ledger.requeue(interrupted, "the fleet run was started again")
    selected = [entry for entry in entries if not config.only or entry.id in config.only]
    if config.retry_failed:
        _retry_failed(ledger, selected)
    _restore_records(config.output_dir, ledger)
    states = {entry.id: ledger.state(entry.id) for entry in selected}
    unsent = (ModelState.PREDICTED, ModelState.SENT)
    return _Pending(
        [entry for entry in selected if states[entry.id] is ModelState.QUEUED],
        [entry for entry in selected if states[entry.id] in unsent],
    )


def _retry_failed(ledger: FleetLedger, entries: Sequence[ManifestEntry]) -> None:
    """Queue failed models again; those whose upload failed are delivered, not run again."""
    for entry in entries:
        if ledger.state(entry.id) is ModelState.FAILED:
            verdict = (ledger.record(entry.id) or {}).get("verdict")
            predicted = verdict == Verdict.UPLOAD_FAILED.word
            state = ModelState.PREDICTED if predicted else ModelState.QUEUED
            ledger.record_event(entry.id, state, "--retry-failed", verdict=None, message=None)


def _restore_records(directory: Path, ledger: FleetLedger) -> None:
    """Write the record files that a killed coordinator did not write any more."""
    for row in ledger.rows():
        if row.state.is_final:
            path = directory / "records" / f"{row.id}.json"
            content = ledger.record(row.id)
            if content and (not path.exists() or json.loads(path.read_bytes()) != content):
                write_record(directory, row.id, Record.from_dict(content))


@contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(file_lock(directory / _LOCK))
        except LockHeld:
            raise DirectoryInUse(
                f"another fleet run uses {directory}: wait for it, or choose another --output-dir"
            ) from None
        except LockUnsupported as error:
            raise FleetError(
                f"expected a disk with file locks for {directory}, found: {error.strerror}; "
                "choose another --output-dir"
            ) from error
        if not wait_for_delivery_process(directory):
            raise DirectoryInUse(
                f"the delivery process of an earlier fleet run still uses {directory}: "
                "wait for it, then start the same command again"
            )
        yield
