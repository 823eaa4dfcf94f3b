"""`numerai-predict submit`: predictions to the current round, once."""

from __future__ import annotations

import argparse
from pathlib import Path

from numerai_predict.cli.commands.deliver import predictions_in
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.tournament_errors import SubmissionRefused
from numerai_predict.runner.option_parser import is_pickle_path
from numerai_predict.runner.run_log import log_step, transfer_policy
from numerai_predict.storage.directories import state_directory
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.gates import check_gates, expected_columns
from numerai_predict.tournament.round_ledger import RoundLedger
from numerai_predict.tournament.round_runner import snapshot_live
from numerai_predict.tournament.settings import read_account_settings
from numerai_predict.tournament.submissions import describe_submission, require_open, submit

_HEADERS = (b"id,prediction", b"id,probability")
_LONGEST_HEADER = 100


def run(options: argparse.Namespace) -> str:
    """Submit a file to the current round; returns the message of success."""
    deadline = Deadline.after(options.deadline)
    settings = read_account_settings(options.keys_file)
    policy = transfer_policy(deadline, "submit")
    tournament = Tournament(Api(settings.api_url, policy, settings.required_keys()))
    model = tournament.model(options.model_name)
    round_ = tournament.current_round()
    require_open(round_, options.allow_late)
    predictions = _predictions_file(options.file)
    live, features = snapshot_live(
        options.data_dir,
        options.data_version,
        Api(settings.api_url, policy),
        ("live.parquet", "features.json"),
    )
    expected = expected_columns((), features)
    figures = check_gates(predictions, live, expected, settings.limits)
    log_step("gates", "open: " + ", ".join(f"{name} {figures[name]:.4g}" for name in figures))
    ledger = RoundLedger.at(state_directory(), round_.number, model.id)
    with ledger.locked(deadline):
        done = submit(tournament, model, round_, predictions, ledger, options.replace)
    return describe_submission(done, model, round_)


def _predictions_file(path: Path) -> Path:
    """The CSV itself, under either of the tournament's headers, or the one that a record names."""
    try:
        with open(path, "rb") as handle:
            if handle.readline(_LONGEST_HEADER).strip() in _HEADERS:
                return path.absolute()
        return predictions_in(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SubmissionRefused(f"{path}: {reason}", _remedy(path)) from error


def _remedy(path: Path) -> str:
    if is_pickle_path(path.name):
        return f"run and submit a pickle: numerai-predict round {path} --model-name NAME"
    return "give the CSV of a run, or its result record"
