"""`numerai-predict submit`: predictions to the current round, once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.cli.common import (
    add_data,
    add_deadline,
    add_keys,
    exit_code_of,
)
from numerai_predict.cli.deliver import predictions_in
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.tournament_errors import SubmissionRefused
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


def main(argv: Sequence[str]) -> int:
    """Submit a file; the exit code is that of the verdict, 2 on bad options."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict submit",
        description="Submit predictions to the current round, after the gates. What the round has "
        "already is not sent again.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "file", type=Path, help="the CSV of a run, or its result record (--result of predict.py)"
    )
    parser.add_argument("--model", required=True, metavar="NAME", help="the model's name")
    parser.add_argument(
        "--replace", action="store_true", help="replace another submission of the round"
    )
    parser.add_argument("--late", action="store_true", help="also when the round is closed")
    add_data(parser)
    add_keys(parser)
    add_deadline(parser)
    options = parser.parse_args(argv)
    return exit_code_of(lambda: _submit(options))


def _submit(options: argparse.Namespace) -> str:
    deadline = Deadline.after(options.deadline)
    settings = read_account_settings(options.keys)
    terms = transfer_policy(deadline, "submit")
    tournament = Tournament(Api(settings.api_url, terms, settings.required_keys()))
    model = tournament.model(options.model)
    round_ = tournament.current_round()
    require_open(round_, options.late)
    predictions = _file(options.file)
    live, features = snapshot_live(
        options.directory,
        options.version,
        Api(settings.api_url, terms),
        ("live.parquet", "features.json"),
    )
    expected = expected_columns((), features)
    figures = check_gates(predictions, live, expected, settings.limits)
    log_step("gates", "open: " + ", ".join(f"{name} {figures[name]:.4g}" for name in figures))
    ledger = RoundLedger.at(state_directory(), round_.number, model.id)
    with ledger.locked(deadline):
        done = submit(tournament, model, round_, predictions, ledger, options.replace)
    return describe_submission(done, model, round_)


def _file(path: Path) -> Path:
    """The CSV itself, under either of the tournament's headers, or the one that a record names."""
    try:
        with open(path, "rb") as handle:
            if handle.readline(_LONGEST_HEADER).strip() in _HEADERS:
                return path.absolute()
        return predictions_in(path)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise SubmissionRefused(
            f"{path}: {words}", "name the CSV of a run, or its result record"
        ) from error
