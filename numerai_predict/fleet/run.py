"""A fleet run in one output directory: locks it, resumes what was interrupted, runs the rest."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.record import Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.data_watch import DataWatch
from numerai_predict.fleet.delivery.queue import wait_for_delivery_process
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.errors import DirectoryInUse, FleetError, NoCapacity
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.live_data import LiveData, fetch_live_data
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.pool.ray_cluster import RayCluster
from numerai_predict.fleet.progress_display import FleetDisplay, ProgressMeter
from numerai_predict.fleet.record_files import write_record
from numerai_predict.fleet.report.live_report import LiveReport
from numerai_predict.fleet.result_files import ResultFiles
from numerai_predict.fleet.result_key import KeyFactory
from numerai_predict.fleet.results import logged_failure
from numerai_predict.fleet.reuse import ResultReuse, ReuseReport
from numerai_predict.fleet.scheduler import Scheduler
from numerai_predict.fleet.temporary_directory import FleetDirectory
from numerai_predict.runner.validation.submission_file import require_directory
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.storage.file_lock import LockHeld, LockUnsupported, file_lock

_LOCK = ".fleet.lock"


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
    """Run every model that has no result of the same key; whether all ended before the deadline.

    Raises:
        DirectoryInUse: another fleet run, or its delivery process, uses the directory.
        RunError: the live data cannot be fetched, or the directory cannot be written.
        FleetError: there are no nodes or workers that can run the models, or the data changed.
        ConnectionError: there is no Ray cluster at the address.
    """
    require_directory(config.output_dir)
    deadline = Deadline.after(config.deadline)
    harden_supervisor()
    selected = [entry for entry in entries if not config.only or entry.id in config.only]
    with (
        _locked(config.output_dir),
        contextlib.closing(FleetLedger(config.output_dir)) as ledger,
        contextlib.closing(FleetDirectory()) as directory,
    ):
        _begin(config.output_dir, ledger, selected)
        data = fetch_live_data(config, directory.path, deadline)
        reuse = _reuse(config, ledger, selected, environments, data, deadline)
        display.say_all(reuse.lines())
        if reuse.unchecked:
            return False
        pending = _pending(config, ledger, selected)
        if not pending.to_run and not pending.to_deliver:
            DataWatch(data.watched).check(last=True)
            return True
        display.begin(ProgressMeter(ledger, [entry.id for entry in selected], deadline))
        cluster = RayCluster(config.ray_address, config.retries.actor_restarts)
        with contextlib.closing(cluster), _progress(config, display) as on_progress:
            _check_memory(pending.to_run, cluster)
            scheduler = Scheduler(config, ledger, cluster, data, environments, deadline)
            undeliverable = scheduler.resume_deliveries(pending.to_deliver)
            return scheduler.run([*pending.to_run, *undeliverable], on_progress)


@contextmanager
def _progress(config: FleetConfig, display: FleetDisplay) -> Iterator[Callable[[int], None]]:
    """What shows the progress: the display, and with `--page` the report."""
    if not config.page:
        yield display.update
        return
    with LiveReport(config.output_dir) as report:

        def update(running: int) -> None:
            display.update(running)
            report.update()

        yield update


def _begin(directory: Path, ledger: FleetLedger, entries: Sequence[ManifestEntry]) -> None:
    """Take the directory over from earlier fleet runs: none of their results counts unchecked.

    Raises:
        DirectoryInUse: the delivery process of an earlier fleet run does not end.
    """
    # First, so that no upload of an earlier fleet run begins after this.
    ledger.begin_run(secrets.token_hex(8))
    if not wait_for_delivery_process(directory):
        raise DirectoryInUse(
            f"the delivery process of an earlier fleet run still uses {directory}: "
            "wait for it, then start the same command again"
        )
    files = ResultFiles(directory)
    files.make_folders()
    files.discard_report()
    for entry in entries:
        files.set_aside(entry.id)
    ledger.add_models({entry.id: entry.tags for entry in entries})
    interrupted = (ModelState.RUNNING, ModelState.INSPECTED, ModelState.LOST)
    ledger.requeue(interrupted, "the fleet run was started again")


def _reuse(
    config: FleetConfig,
    ledger: FleetLedger,
    entries: Sequence[ManifestEntry],
    environments: list[Environment],
    data: LiveData,
    deadline: Deadline,
) -> ReuseReport:
    """Keep the results of earlier fleet runs that are those of this one; queue all others."""
    keys = KeyFactory(config, data)
    reuse = ResultReuse(config, ledger, keys, environments, deadline).check(entries)
    ledger.set_reuse(keys.shared().to_json(), reuse.lines())
    return reuse


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


def _pending(
    config: FleetConfig, ledger: FleetLedger, entries: Sequence[ManifestEntry]
) -> _Pending:
    """The models that have not ended."""
    if config.retry_failed:
        _retry_failed(config.output_dir, ledger, entries)
    _restore_records(config.output_dir, ledger, entries)
    states = {entry.id: ledger.state(entry.id) for entry in entries}
    unsent = (ModelState.PREDICTED, ModelState.SENT)
    return _Pending(
        [entry for entry in entries if states[entry.id] is ModelState.QUEUED],
        [entry for entry in entries if states[entry.id] in unsent],
    )


def _retry_failed(directory: Path, ledger: FleetLedger, entries: Sequence[ManifestEntry]) -> None:
    """Queue failed models again; those whose upload failed are delivered, not run again."""
    for entry in entries:
        if ledger.state(entry.id) is not ModelState.FAILED:
            continue
        if (ledger.record(entry.id) or {}).get("verdict") == Verdict.UPLOAD_FAILED.word:
            state = ModelState.PREDICTED
            ledger.record_event(entry.id, state, "--retry-failed", verdict=None, message=None)
        else:
            ResultFiles(directory).discard(entry.id)
            ledger.withdraw([entry.id], "--retry-failed")


def _restore_records(
    directory: Path, ledger: FleetLedger, entries: Sequence[ManifestEntry]
) -> None:
    """Write the record files that a killed coordinator did not write any more."""
    for entry in entries:
        with logged_failure(f"to restore the record of {entry.id}"):
            _restore_record(directory, ledger, entry.id)


def _restore_record(directory: Path, ledger: FleetLedger, model_id: str) -> None:
    state, content = ledger.state(model_id), ledger.record(model_id)
    if state and state.is_final and content:
        path, record = directory / "records" / f"{model_id}.json", Record.from_dict(content)
        if not path.exists() or path.read_bytes() != record.as_json().encode():
            write_record(directory, model_id, record)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the lock of the output directory.

    Raises:
        DirectoryInUse: another fleet run holds it.
    """
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
        yield
