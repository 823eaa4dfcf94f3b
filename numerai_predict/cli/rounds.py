"""`numerai-predict rounds`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timezone

from numerai_predict.cli.common import add_deadline, api_url, exit_code_of
from numerai_predict.contract.deadline import Deadline
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import RoundInfo


def main(argv: Sequence[str]) -> int:
    """List rounds, newest first; no account is needed."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict rounds",
        description="List the tournament's rounds, newest first.",
        allow_abbrev=False,
    )
    parser.add_argument("--limit", type=int, default=5, help="how many (default: %(default)s)")
    add_deadline(parser, 60)
    options = parser.parse_args(argv)
    if options.limit < 1:
        parser.error("--limit: expected 1 or more")
    return exit_code_of(lambda: _rounds(options))


def _rounds(options: argparse.Namespace) -> str:
    terms = transfer_policy(Deadline.after(options.deadline), "ask")
    tournament = Tournament(Api(api_url(), terms))
    now = datetime.now(timezone.utc)
    print(f"{'round':>6}  {'opens (UTC)':16}  {'closes (UTC)':16}  state")
    for each in tournament.rounds(options.limit):
        print(
            f"{each.number:6}  {each.opens:%Y-%m-%d %H:%M}  {each.closes:%Y-%m-%d %H:%M}  "
            f"{_state(each, now)}"
        )
    current = tournament.current_round()
    open_ = "open" if current.is_open(now) else "closed"
    return f"round {current.number} is {open_}"


def _state(round_: RoundInfo, now: datetime) -> str:
    if now < round_.opens:
        return "upcoming"
    if round_.is_open(now):
        return "open"
    return "resolved" if round_.resolves and now >= round_.resolves else "resolving"
