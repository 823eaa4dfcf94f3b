"""`numerai-predict status`."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence

from numerai_predict.cli.common import add_deadline, add_keys, exit_code_of
from numerai_predict.contract.deadline import Deadline
from numerai_predict.data.catalogue import TOURNAMENT
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament import queries
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import AccountModel
from numerai_predict.tournament.settings import read_account_settings


def main(argv: Sequence[str]) -> int:
    """Tell what the account's models have submitted and scored."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict status",
        description="Tell what the account's models have submitted, and their scores of resolved "
        "rounds.",
        allow_abbrev=False,
    )
    parser.add_argument("--model", metavar="NAME", help="this one alone (default: all)")
    parser.add_argument("--limit", type=int, default=5, help="rounds (default: %(default)s)")
    add_keys(parser)
    add_deadline(parser, 60)
    options = parser.parse_args(argv)
    if options.limit < 1:
        parser.error("--limit: expected 1 or more")
    return exit_code_of(lambda: _status(options))


def _status(options: argparse.Namespace) -> str:
    settings = read_account_settings(options.keys)
    terms = transfer_policy(Deadline.after(options.deadline), "ask")
    tournament = Tournament(Api(settings.api_url, terms, settings.required_keys()))
    models = [tournament.model(options.model)] if options.model else tournament.models()
    current = tournament.current_round()
    submitted = 0
    for model in models:
        print(model.name)
        rounds = _tell(tournament, model, options.limit)
        submitted += current.number in rounds
    open_ = "open" if current.is_open() else "closed"
    return f"round {current.number} is {open_}; {submitted} of {len(models)} model(s) submitted"


def _tell(tournament: Tournament, model: AccountModel, limit: int) -> list[int]:
    """Print a line a round; the rounds that were submitted to."""
    scores: dict[int, dict[str, float]] = defaultdict(dict)
    for each in tournament.query(
        queries.SCORES, modelId=model.id, tournament=TOURNAMENT, lastNRounds=limit
    ):
        if each["resolved"] and each["value"] is not None:
            scores[each["roundNumber"]][each["displayName"]] = each["value"]
    found = [each for each in tournament.submissions(model) if each.selected]
    for each in found[:limit]:
        told = ", ".join(f"{name} {value:+.4f}" for name, value in scores[each.round].items())
        when = f"{each.inserted:%Y-%m-%d %H:%M}"
        print(f"  round {each.round}  {when}  {each.filename}  {told}".rstrip())
    if not found:
        print("  no submission")
    return [each.round for each in found]
