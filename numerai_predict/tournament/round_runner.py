"""One whole round: wait, fetch, run, check the gates, submit, record; resumable at any point."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnreachable
from numerai_predict.contract.server_name import server_of
from numerai_predict.contract.tournament_errors import RoundClosed
from numerai_predict.data.catalogue import Catalogue, resolve
from numerai_predict.data.snapshot import FetchedSnapshot, Snapshot
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.storage.graphql import Api
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import RoundInfo, Submission
from numerai_predict.tournament.gate_limits import format_figures
from numerai_predict.tournament.gates import check_gates, expected_columns
from numerai_predict.tournament.round_ledger import RoundLedger
from numerai_predict.tournament.round_predictions import (
    RoundConfig,
    check_bundle,
    load_or_predict,
    named_features,
    sha256_of_pickle,
)
from numerai_predict.tournament.submissions import (
    describe_submission,
    require_open,
    submission_of_round,
    submit,
)

_POLL_SECONDS = 15.0
_SHORTEST_POLL_SECONDS = 0.5
_LIVE_FILES = ("live.parquet", "live_benchmark_models.parquet", "features.json")
_KEPT_ROUNDS = 20


def run_round(config: RoundConfig, tournament: Tournament, deadline: Deadline) -> str:
    """Do the remaining steps of the current round; returns the message for the user.

    Raises:
        RunError: it ended without a submission; nothing was submitted that should not be.
    """
    check_bundle(config, server_of(tournament.api.url))
    model = tournament.model(config.model)
    round_ = wait_for_open(config, tournament, deadline)
    ledger = RoundLedger.at(config.state, round_.number, model.id)
    with ledger.locked(deadline):
        existing = submission_of_round(tournament, model, round_.number)
        if existing and not config.replace:
            return _keep(existing, config, ledger)
        live, benchmarks, features = _fetch_live_data(config, tournament, deadline)
        predictions = load_or_predict(config, ledger, live, benchmarks, deadline)
        expected = expected_columns(named_features(config.pickle), features)
        figures = check_gates(predictions, live, expected, config.gates)
        log_step("gates", f"passed: {format_figures(figures)}")
        ledger.update(figures={name: each.value for name, each in figures.items()})
        require_open(
            tournament.require_current_round(round_), config.late, tournament.wait_for_opening
        )
        submitted = submit(tournament, model, round_, predictions, ledger, config.replace)
        _remove_old_rounds(config.state)
    return describe_submission(submitted, model, round_)


def _keep(existing: Submission, config: RoundConfig, ledger: RoundLedger) -> str:
    """The message for a round that has a submission already; nothing is sent."""
    log_step("submit", f"round {existing.round} has {existing.filename} already")
    has = f"round {existing.round} has a submission of {config.model}"
    sent, given = ledger.read().model_of(existing), sha256_of_pickle(config.pickle)
    if sent is not None and sent == given:
        return f"{has} already: {existing.id}"
    origin = "of another pickle" if sent else "of an unknown pickle"
    source = config.source or config.pickle.name
    log_step("warning", f"the submission of round {existing.round} is {origin}, not of {source}")
    return f"nothing was sent: {has} {origin}: {existing.id}; --replace sends this one"


def wait_for_open(config: RoundConfig, tournament: Tournament, deadline: Deadline) -> RoundInfo:
    """The current round, as soon as it is open.

    Raises:
        RoundClosed: no round opened within `config.wait` seconds.
    """
    until = Deadline.after(config.wait)
    announced = False
    while True:
        try:
            round_ = tournament.current_round()
            require_open(round_, config.late, tournament.wait_for_opening)
            server = server_of(tournament.api.url)
            log_step(
                "round", f"{round_.number} of {server} is open until {round_.closes:%H:%M:%S} UTC"
            )
            return round_
        except RoundClosed as error:
            left = min(until.remaining(), deadline.remaining())
            if left < _SHORTEST_POLL_SECONDS:
                raise RoundClosed(
                    f"{error.message}; waited {config.wait:g} s for an opening", error.remedy
                ) from error
            if not announced:
                log_step("round", f"none is open: waiting for up to {left:.0f} s")
                announced = True
            time.sleep(min(_POLL_SECONDS, max(_SHORTEST_POLL_SECONDS, left / 20)))


def snapshot_live(
    data: Path, version: str, api: Api, names: Sequence[str] = _LIVE_FILES
) -> list[Path]:
    """The files of the current round in the snapshot directory; fetched unless they are current.

    Raises:
        DatasetUnreachable: the tournament has the live data of an earlier round still.
    """
    catalogue = Catalogue(api)
    resolved = resolve(names, version, catalogue.names())
    fetched = Snapshot(data).get(resolved, catalogue, api.policy)
    for each in fetched:
        log_step("data", f"{each.name}: {'unchanged' if each.reused else 'fetched'}")
        _require_current(each)
    return [each.path for each in fetched]


def _require_current(file: FetchedSnapshot) -> None:
    """Refuse live data that were current in an earlier round: their ids are not of this one."""
    of, current = file.entry.live_in, file.entry.round
    if of is None or current is None or of >= current:
        return
    raise DatasetUnreachable(
        f"expected {file.name} of round {current}, found the data of round {of}: their ids do not "
        "belong to this round; nothing was submitted",
        f"wait until the tournament has the live data of round {current}, then run the same "
        "command again",
    )


def _fetch_live_data(
    config: RoundConfig, tournament: Tournament, deadline: Deadline
) -> tuple[Path, Path, Path]:
    policy = TransferPolicy(
        deadline, log=functools.partial(log_step, "fetch"), terminal=stderr_terminal()
    )
    live, benchmarks, features = snapshot_live(
        config.data, config.version, Api(tournament.api.url, policy)
    )
    return live, benchmarks, features


def _remove_old_rounds(state: Path) -> None:
    """Remove the directories of all but the newest rounds; the current one always stays."""
    folders = sorted(
        (state / "rounds").iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True
    )
    numbers = list(dict.fromkeys(folder.name.partition("-")[0] for folder in folders))
    expired = set(numbers[_KEPT_ROUNDS:])
    for folder in folders:
        if folder.name.partition("-")[0] in expired:
            shutil.rmtree(folder, ignore_errors=True)
