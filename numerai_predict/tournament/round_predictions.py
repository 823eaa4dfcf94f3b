"""The predictions of a round: run the model as `predict.py` does, or reuse existing ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    ERROR_BY_VERDICT,
    InternalError,
    InvalidPickle,
    InvalidPredictions,
)
from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.record import Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.bundle_check import check_pickle
from numerai_predict.runner.bundle_data import ModelInput, check_data
from numerai_predict.runner.container.job_run import require_record, run_job, target_of_job
from numerai_predict.runner.entrypoint import record_of
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import atomic_write, sha256_of
from numerai_predict.tournament.gate_limits import GateLimits
from numerai_predict.tournament.gates import gate_error
from numerai_predict.tournament.round_ledger import RoundEntry, RoundLedger


@dataclass(frozen=True)
class RoundConfig:
    """Configuration of `round`.

    `acceleration` allows the tree engine, `allow_version_mismatch` data of another version than a
    bundle's. `wait` bounds the wait for the opening, in seconds. `data` is the directory of
    snapshots, `state` the directory of the ledgers. `source` names the pickle in messages and in
    the record, if it was fetched.
    """

    pickle: Path
    model: str
    version: str
    data: Path
    state: Path
    limits: Limits
    sandbox: Sandbox
    gates: GateLimits
    wait: float
    replace: bool = False
    late: bool = False
    allow_version_mismatch: bool = False
    source: str | None = None
    no_container: bool = False
    acceleration: bool = True


def load_or_predict(
    config: RoundConfig, ledger: RoundLedger, live: Path, benchmarks: Path, deadline: Deadline
) -> Path:
    """The model's predictions: those of an interrupted run, if model and data are the same."""
    entry = ledger.read()
    model_sha256 = sha256_of_pickle(config.pickle)
    live_sha256 = sha256_of(live)
    same = (entry.model_sha256, entry.live_sha256) == (model_sha256, live_sha256)
    if same and entry.predictions and _is_intact(Path(entry.predictions), entry):
        log_step("run", f"resuming with the existing predictions {Path(entry.predictions).name}")
        return Path(entry.predictions)
    path = _run(config, ledger, live, benchmarks, deadline)
    ledger.update(
        predictions=str(path),
        predictions_sha256=sha256_of(path),
        model_sha256=model_sha256,
        live_sha256=live_sha256,
    )
    return path


def _run(
    config: RoundConfig, ledger: RoundLedger, live: Path, benchmarks: Path, deadline: Deadline
) -> Path:
    """Run the model as `predict.py` does; the record is written to the ledger's directory."""
    job = Job(
        model=str(config.pickle.absolute()),
        dataset=str(live),
        benchmarks=str(benchmarks),
        output_dir=ledger.folder,
        limits=config.limits,
        sandbox=config.sandbox,
        allow_version_mismatch=config.allow_version_mismatch,
        deadline=deadline.left(),
        model_source=config.source,
        acceleration=config.acceleration,
    )
    target = target_of_job(job.model, config.no_container)
    log_step("run", target.announcement)
    record = require_record(run_job(target, job, record_of), target)
    with atomic_write(ledger.folder / "record.json") as handle:
        handle.write(record.as_json().encode())
    _require_ok(record)
    return record.predictions.file_in(ledger.folder) or Path()


def _require_ok(record: Record) -> None:
    if record.verdict == Verdict.OK.word:
        return
    kind = ERROR_BY_VERDICT.get(record.verdict, InternalError)
    error = kind(record.message, record.remedy or "")
    if isinstance(error, InvalidPredictions):
        # Predictions that the runner rejects fail a gate too: one verdict for one cause.
        raise gate_error([error.message]) from error
    raise error


def _is_intact(path: Path, entry: RoundEntry) -> bool:
    try:
        return sha256_of(path) == entry.predictions_sha256
    except OSError:
        return False


def check_bundle(config: RoundConfig, server: str) -> None:
    """Compare a bundle with its manifest, and with the data of the round, before any work.

    Raises:
        ModelUnavailable: the pickle is another than the manifest's, or that cannot be read.
        DatasetUnavailable: the model was trained on data of another version or server.
    """
    sha256 = sha256_of_pickle(config.pickle)
    if sha256 is None:
        return
    live = ModelInput(f"{config.version}/live.parquet", (), server, config.allow_version_mismatch)
    check_data(check_pickle(str(config.pickle), sha256), live)


def sha256_of_pickle(path: Path) -> str | None:
    """The pickle's hash; `None` if it cannot be read, which the runner reports."""
    try:
        return sha256_of(path)
    except OSError:
        return None


def named_features(path: Path) -> Sequence[str]:
    """The features that the pickle names; none if it cannot be inspected."""
    try:
        return inspect_pickle(path).features
    except (InvalidPickle, OSError):
        return ()
