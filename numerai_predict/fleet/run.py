"""One round in one output directory: set up, gone on with where it was, torn down."""

from __future__ import annotations

import contextlib
import fcntl
import json
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.record import Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.delivery.queue import wait_for_delivery_process
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.live_data import fetch_data
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.pool.ray_cluster import RayCluster
from numerai_predict.fleet.progress_display import FleetDisplay, ProgressMeter
from numerai_predict.fleet.record_files import write_record
from numerai_predict.fleet.scheduler import NoCapacity, Scheduler
from numerai_predict.runner.submission_file import require_directory
from numerai_predict.sandbox.hide_supervisor import harden_supervisor

_LOCK = ".fleet.lock"


class DirectoryInUse(Exception):
    """Another fleet works in the directory."""


def run_fleet(
    orders: FleetConfig,
    entries: Sequence[ManifestEntry],
    places: list[Environment],
    display: FleetDisplay,
) -> bool:
    """Run every model that has not been delivered; whether the deadline left the time.

    Raises:
        Busy: another fleet, or what it left, is at work in the directory.
        RunError: there is no live data, or nothing can be saved.
        NoWorker, ConnectionError: there is nothing to run models on.
    """
    require_directory(orders.output_dir)
    deadline = Deadline.after(orders.deadline)
    harden_supervisor()
    with (
        _exclusive(orders.output_dir),
        contextlib.closing(FleetLedger(orders.output_dir)) as ledger,
    ):
        for name in ("predictions", "records", "logs"):
            (orders.output_dir / name).mkdir(exist_ok=True)
        todo, sent = _queue(orders, ledger, entries)
        display.begin(ProgressMeter(ledger, len(entries), deadline))
        if not todo and not sent:
            return True
        with tempfile.TemporaryDirectory(prefix="numerai-fleet-") as folder:
            data = fetch_data(orders, Path(folder), deadline)
            with contextlib.closing(RayCluster(orders.address)) as cluster:
                _require_fit(todo, cluster)
                conductor = Scheduler(orders, ledger, cluster, data, places, deadline)
                todo += conductor.resume_deliveries(sent)
                return conductor.run(deque(todo), display.update)


def _require_fit(entries: Sequence[ManifestEntry], cluster: RayCluster) -> None:
    """Go on only if every model has a machine that its memory limit fits on."""
    largest = max((machine.memory_bytes for machine in cluster.nodes()), default=0)
    for entry in entries:
        limit = entry.limits.memory_bytes
        if limit is not None and limit > largest:
            raise NoCapacity(
                f"{entry.id}: expected a machine with {limit / 1024**3:.1f} GiB for the model, "
                f"found {largest / 1024**3:.1f} GiB at most: lower its memory or --memory, "
                "or add machines"
            )


def _queue(
    orders: FleetConfig, ledger: FleetLedger, entries: Sequence[ManifestEntry]
) -> tuple[list[ManifestEntry], list[ManifestEntry]]:
    """The models to run, and those whose predictions lie there and were not delivered."""
    ledger.set_meta("started", str(time.time()))
    ledger.add_models(entry.id for entry in entries)
    ledger.requeue(
        (ModelState.RUNNING, ModelState.INSPECTED, ModelState.LOST), "the fleet was started again"
    )
    wanted = [entry for entry in entries if not orders.only or entry.id in orders.only]
    if orders.retry_failed:
        for entry in wanted:
            if ledger.state(entry.id) == ModelState.FAILED:
                state = _state_of_retry(ledger, entry.id)
                ledger.record_event(entry.id, state, "asked for again", verdict=None, message=None)
    _restore_records(orders.output_dir, ledger)
    by_state: dict[ModelState | None, list[ManifestEntry]] = {}
    for entry in wanted:
        by_state.setdefault(ledger.state(entry.id), []).append(entry)
    sent = [*by_state.get(ModelState.PREDICTED, []), *by_state.get(ModelState.SENT, [])]
    return by_state.get(ModelState.QUEUED, []), sent


def _state_of_retry(ledger: FleetLedger, name: str) -> ModelState:
    """A model that was predicted and refused needs another delivery, not another run."""
    verdict = (ledger.record(name) or {}).get("verdict")
    return ModelState.PREDICTED if verdict == Verdict.UPLOAD_FAILED.word else ModelState.QUEUED


def _restore_records(directory: Path, ledger: FleetLedger) -> None:
    """Write the records that the ledger has and a killed agent did not get to write."""
    for row in ledger.rows():
        if row.state in (ModelState.DELIVERED, ModelState.FAILED):
            path = directory / "records" / f"{row.id}.json"
            facts = ledger.record(row.id)
            if facts and (not path.exists() or json.loads(path.read_bytes()) != facts):
                write_record(directory, row.id, Record.from_dict(facts))


@contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    with open(directory / _LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DirectoryInUse(
                f"another fleet works in {directory}: wait for it, or choose another --output_dir"
            ) from None
        if not wait_for_delivery_process(directory):
            raise DirectoryInUse(
                f"deliveries of a fleet that was killed are still under way in {directory}"
            )
        yield
