"""`numerai-predict round`: all that a round needs, in one command that may be started again."""

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
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import Limits, parse_seconds
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.runner.options import add_limits, argparse_type
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.storage.directories import state_directory
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.round_predictions import RoundConfig
from numerai_predict.tournament.round_runner import run_round
from numerai_predict.tournament.settings import read_account_settings

_WAIT_SECONDS = 900.0
_DEADLINE_SECONDS = 3300.0  # a weekday's window is one hour


def main(argv: Sequence[str]) -> int:
    """Do the current round; the exit code is that of the verdict, 2 on bad options."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict round",
        description="Wait for the round to open, fetch live data, run the model isolated, check "
        "the gates, submit, record. Started again, from any moment on, it does what is left.",
        allow_abbrev=False,
    )
    parser.add_argument("pickle", type=Path, help="the model")
    parser.add_argument("--model", required=True, metavar="NAME", help="the model's name")
    parser.add_argument(
        "--wait",
        type=argparse_type(parse_seconds),
        default=_WAIT_SECONDS,
        help="seconds to wait for the opening (default: 900)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace another submission of the round"
    )
    parser.add_argument("--late", action="store_true", help="also when the round is closed")
    add_limits(parser)
    add_data(parser)
    add_keys(parser)
    add_deadline(parser, _DEADLINE_SECONDS)
    parser.add_argument("--debug", action="store_true", help="log more")
    options = parser.parse_args(argv)
    return exit_code_of(lambda: _round(options), options.debug)


def _round(options: argparse.Namespace) -> str:
    deadline = Deadline.after(options.deadline)
    settings = read_account_settings(options.keys)
    api = Api(settings.api_url, transfer_policy(deadline, "submit"), settings.required_keys())
    plan = RoundConfig(
        pickle=options.pickle,
        model=options.model,
        version=options.version,
        data=options.directory,
        state=state_directory(),
        limits=Limits(options.memory, options.timeout),
        sandbox=Sandbox(options.sandbox),
        gates=settings.limits,
        wait=options.wait if options.wait is not None else float("inf"),
        replace=options.replace,
        late=options.late,
    )
    return run_round(plan, Tournament(api), deadline)
