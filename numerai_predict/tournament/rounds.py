"""The whole of one round: wait, fetch, run, gate, submit, record; from any moment on again."""

from __future__ import annotations

import functools
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numerai_predict
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import InvalidPickle, InvalidPredictions, RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.contract.tournament import RoundClosed
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.data.catalogue import Catalogue, resolve
from numerai_predict.data.snapshot import Snapshot
from numerai_predict.inspection.examine import examine
from numerai_predict.runner.log import log_step
from numerai_predict.runner.run import run
from numerai_predict.runner.sandbox.secrecy import hide_process
from numerai_predict.storage.files import atomic_write, sha256_of
from numerai_predict.storage.graphql import Api
from numerai_predict.storage.terms import Terms
from numerai_predict.tournament.client import Model, RoundFacts, Tournament
from numerai_predict.tournament.gates import GateLimits, closed, expected_columns, require_gates
from numerai_predict.tournament.ledger import Ledger
from numerai_predict.tournament.submissions import Submitted, of_round, require_open, submit

_POLL_SECONDS = 15.0
_SHORTEST_POLL_SECONDS = 0.5
_LIVE = ("live.parquet", "live_benchmark_models.parquet", "features.json")
_KEPT_ROUNDS = 20


@dataclass(frozen=True)
class Plan:
    """What a round is to be made of.

    `wait` bounds the wait for the opening, in seconds. `data` and `state` are the folders of
    snapshots and of what is remembered.
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


def do_round(plan: Plan, tournament: Tournament, deadline: Deadline) -> str:
    """Do what is left to do of the current round; what was done, in words.

    Raises:
        RunError: it ended without a submission; nothing was submitted that should not be.
    """
    model = tournament.model(plan.model)
    round_ = wait_for_open(plan, tournament, deadline)
    ledger = Ledger.at(plan.state, round_.number, model.id)
    with ledger.locked(deadline):
        if not plan.replace and (found := of_round(tournament, model, round_.number)):
            log_step("submit", f"round {round_.number} has {found.filename} already")
            return f"round {round_.number} has a submission of {model.name} already: {found.id}"
        live, benchmarks, features = _snapshot(plan, tournament, deadline)
        predictions = _predictions(plan, ledger, live, benchmarks, deadline)
        expected = expected_columns(_named_features(plan.pickle), features)
        figures = require_gates(predictions, live, expected, plan.gates)
        told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        log_step("gates", f"open: {told}")
        ledger.update(figures=figures)
        require_open(tournament.current_round_again(round_), plan.late)
        done = submit(tournament, model, round_, predictions, ledger, plan.replace)
        _forget_old(plan.state)
    return told_of(done, model, round_)


def told_of(done: Submitted, model: Model, round_: RoundFacts) -> str:
    """What came of a submission, in words."""
    if done.already:
        return (
            f"round {round_.number} has the same submission of {model.name} already: "
            f"{done.submission.id}; nothing was done"
        )
    return f"submitted to round {done.submission.round} for {model.name}: {done.submission.id}"


def wait_for_open(plan: Plan, tournament: Tournament, deadline: Deadline) -> RoundFacts:
    """The round, once it is open.

    Raises:
        RoundClosed: none opened within the wait.
    """
    until = Deadline.after(plan.wait)
    told = False
    while True:
        try:
            round_ = tournament.current_round()
            require_open(round_, plan.late)
            log_step("round", f"{round_.number} is open until {round_.closes:%H:%M:%S} UTC")
            return round_
        except RoundClosed as error:
            left = min(until.remaining(), deadline.remaining())
            if left < _SHORTEST_POLL_SECONDS:
                raise RoundClosed(
                    f"{error.message}; waited {plan.wait:g} s for an opening", error.remedy
                ) from error
            if not told:
                log_step("round", f"none is open: waiting for up to {left:.0f} s")
                told = True
            time.sleep(min(_POLL_SECONDS, max(_SHORTEST_POLL_SECONDS, left / 20)))


def snapshot_live(data: Path, version: str, api: Api, names: Sequence[str] = _LIVE) -> list[Path]:
    """The files of the current round, fetched unless they are here."""
    catalogue = Catalogue(api)
    wanted = resolve(names, version, catalogue.names())
    taken = Snapshot(data).get(wanted, catalogue, api.terms)
    for each in taken:
        log_step("data", f"{each.name}: {'unchanged' if each.reused else 'fetched'}")
    return [each.path for each in taken]


def _snapshot(plan: Plan, tournament: Tournament, deadline: Deadline) -> tuple[Path, Path, Path]:
    terminal = sys.stderr if sys.stderr.isatty() else None
    terms = Terms(deadline, say=functools.partial(log_step, "fetch"), terminal=terminal)
    live, benchmarks, features = snapshot_live(
        plan.data, plan.version, Api(tournament.api.url, terms)
    )
    return live, benchmarks, features


def _predictions(
    plan: Plan, ledger: Ledger, live: Path, benchmarks: Path, deadline: Deadline
) -> Path:
    """The model's predictions: those of a broken run, if model and data are the same."""
    entry = ledger.read()
    model_sha256 = _sha256_of_pickle(plan.pickle)
    live_sha256 = sha256_of(live)
    same = (entry.model_sha256, entry.live_sha256) == (model_sha256, live_sha256)
    if same and entry.predictions and _is_intact(Path(entry.predictions), entry):
        log_step("run", f"going on with {Path(entry.predictions).name}, which was made before")
        return Path(entry.predictions)
    path = _run(plan, ledger, live, benchmarks, deadline)
    ledger.update(
        predictions=str(path),
        predictions_sha256=sha256_of(path),
        model_sha256=model_sha256,
        live_sha256=live_sha256,
    )
    return path


def _run(plan: Plan, ledger: Ledger, live: Path, benchmarks: Path, deadline: Deadline) -> Path:
    """Run the model as `predict.py` does; its record is kept beside the predictions."""
    job = Job(
        model=str(plan.pickle.absolute()),
        dataset=str(live),
        benchmarks=str(benchmarks),
        output_dir=ledger.folder,
        limits=plan.limits,
        sandbox=plan.sandbox,
    )
    record = Record(
        environment=EnvironmentFacts(
            python=platform.python_version(),
            image=os.environ.get("NUMERAI_PREDICT_IMAGE"),
            runner=numerai_predict.__version__,
        )
    )
    record.sandbox["runner"] = hide_process()
    try:
        run(job, record, deadline)
        record.conclude(Verdict.OK, f"delivered to {record.delivered_to}")
    except InvalidPredictions as error:
        record.conclude(error.verdict, error.message, error.remedy)
        # What the runner's own check finds closes the gates too: one ending for one matter.
        lines = error.message.splitlines()
        reasons = [line.removeprefix("  - ") for line in lines[1:]] or lines
        raise closed(reasons) from error
    except RunError as error:
        record.conclude(error.verdict, error.message, error.remedy)
        raise
    finally:
        with atomic_write(ledger.folder / "record.json") as handle:
            handle.write(record.as_json().encode())
    return Path(record.predictions.path or "")


def _is_intact(path: Path, entry: object) -> bool:
    try:
        return sha256_of(path) == getattr(entry, "predictions_sha256", None)
    except OSError:
        return False


def _sha256_of_pickle(path: Path) -> str | None:
    """The pickle's hash; the runner says what is wrong with one that cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return None


def _named_features(path: Path) -> Sequence[str]:
    """The features that the pickle names; none where it cannot be inspected."""
    try:
        return examine(path).features
    except (InvalidPickle, OSError):
        return ()


def _forget_old(state: Path) -> None:
    """Keep the last rounds' files alone."""
    import shutil

    folders = sorted(
        (state / "rounds").iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True
    )
    newest = {folder.name.partition("-")[0] for folder in folders[:1]}
    rounds = list(dict.fromkeys(folder.name.partition("-")[0] for folder in folders))
    for folder in folders:
        number = folder.name.partition("-")[0]
        if number not in newest and number in rounds[_KEPT_ROUNDS:]:
            shutil.rmtree(folder, ignore_errors=True)
