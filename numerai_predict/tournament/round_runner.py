"""The whole of one round: wait, fetch, run, gate, submit, record; from any moment on again."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.tournament_errors import RoundClosed
from numerai_predict.data.catalogue import Catalogue, resolve
from numerai_predict.data.snapshot import Snapshot
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.graphql import Api
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import AccountModel, RoundInfo
from numerai_predict.tournament.gates import check_gates, expected_columns
from numerai_predict.tournament.round_ledger import RoundLedger
from numerai_predict.tournament.round_predictions import (
    RoundConfig,
    load_or_predict,
    named_features,
)
from numerai_predict.tournament.submissions import Submitted, of_round, require_open, submit

_POLL_SECONDS = 15.0
_SHORTEST_POLL_SECONDS = 0.5
_LIVE = ("live.parquet", "live_benchmark_models.parquet", "features.json")
_KEPT_ROUNDS = 20


def run_round(plan: RoundConfig, tournament: Tournament, deadline: Deadline) -> str:
    """Do what is left to do of the current round; what was done, in words.

    Raises:
        RunError: it ended without a submission; nothing was submitted that should not be.
    """
    model = tournament.model(plan.model)
    round_ = wait_for_open(plan, tournament, deadline)
    ledger = RoundLedger.at(plan.state, round_.number, model.id)
    with ledger.locked(deadline):
        if not plan.replace and (found := of_round(tournament, model, round_.number)):
            log_step("submit", f"round {round_.number} has {found.filename} already")
            return f"round {round_.number} has a submission of {model.name} already: {found.id}"
        live, benchmarks, features = _snapshot(plan, tournament, deadline)
        predictions = load_or_predict(plan, ledger, live, benchmarks, deadline)
        expected = expected_columns(named_features(plan.pickle), features)
        figures = check_gates(predictions, live, expected, plan.gates)
        told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        log_step("gates", f"open: {told}")
        ledger.update(figures=figures)
        require_open(tournament.current_round_again(round_), plan.late)
        done = submit(tournament, model, round_, predictions, ledger, plan.replace)
        _forget_old(plan.state)
    return describe_submission(done, model, round_)


def describe_submission(done: Submitted, model: AccountModel, round_: RoundInfo) -> str:
    """What came of a submission, in words."""
    if done.already:
        return (
            f"round {round_.number} has the same submission of {model.name} already: "
            f"{done.submission.id}; nothing was done"
        )
    return f"submitted to round {done.submission.round} for {model.name}: {done.submission.id}"


def wait_for_open(plan: RoundConfig, tournament: Tournament, deadline: Deadline) -> RoundInfo:
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


def _snapshot(
    plan: RoundConfig, tournament: Tournament, deadline: Deadline
) -> tuple[Path, Path, Path]:
    terminal = sys.stderr if sys.stderr.isatty() else None
    terms = TransferPolicy(deadline, say=functools.partial(log_step, "fetch"), terminal=terminal)
    live, benchmarks, features = snapshot_live(
        plan.data, plan.version, Api(tournament.api.url, terms)
    )
    return live, benchmarks, features


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
