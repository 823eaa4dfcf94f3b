"""`numerai-predict status`: submissions, scores, stakes and payouts of the account's models."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.tournament_errors import TournamentUnavailable
from numerai_predict.data.catalogue import TOURNAMENT
from numerai_predict.runner.run_log import log_step, transfer_policy
from numerai_predict.storage.graphql import Api
from numerai_predict.terminal.screen import Part, show
from numerai_predict.terminal.table import Column, TextTable
from numerai_predict.tournament import queries
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import (
    SCORED_DAYS,
    AccountModel,
    Payout,
    RoundInfo,
    Submission,
)
from numerai_predict.tournament.settings import read_account_settings


@dataclass(frozen=True)
class RoundScores:
    """The scores of the newest `day` of a round by name; they are final once `resolved`."""

    day: int
    resolved: bool
    values: Mapping[str, float]


@dataclass(frozen=True)
class Stakes:
    """Stakes by the models' ids, in NMR, and payouts of all models."""

    stakes: Mapping[str, float] = field(default_factory=dict)
    payouts: Sequence[Payout] = ()


@dataclass(frozen=True)
class ModelStatus:
    """A model's latest submissions, newest first; scores and payouts are by round."""

    model: str
    submissions: list[Submission]
    scores: Mapping[int, RoundScores]
    submitted: bool
    stake: float | None
    payouts: Mapping[int, Payout]


def run(options: argparse.Namespace) -> str:
    """Show submissions, scores and payouts; returns a summary of the current round."""
    settings = read_account_settings(options.keys_file)
    policy = transfer_policy(Deadline.after(options.deadline), "ask")
    tournament = Tournament(Api(settings.api_url, policy, settings.required_keys()))
    name = options.model_name
    models = [tournament.model(name)] if name else tournament.models()
    current = tournament.current_round()
    stakes = _stakes_of(tournament, models)
    found = [_status_of(tournament, model, current, stakes, options.limit) for model in models]
    if options.json:
        print(json.dumps([_as_json(each) for each in found], indent=2))
    else:
        show(*(part for each in found for part in _parts(each)))
    state = "open" if current.is_open() else "closed"
    submitted = sum(each.submitted for each in found)
    return f"round {current.number} is {state}; {submitted} of {len(found)} model(s) submitted"


def _stakes_of(tournament: Tournament, models: Sequence[AccountModel]) -> Stakes:
    """Stakes and payouts; submissions and scores are shown without them too."""
    try:
        found = {model.id: tournament.stake(model) for model in models}
        stakes = {model_id: nmr for model_id, nmr in found.items() if nmr is not None}
        return Stakes(stakes, tournament.payouts() if stakes else ())
    except TournamentUnavailable as error:
        log_step("warning", f"stakes and payouts are not shown: {error.message}")
        return Stakes()


def _status_of(
    tournament: Tournament, model: AccountModel, current: RoundInfo, stakes: Stakes, limit: int
) -> ModelStatus:
    scores = tournament.query(
        queries.SCORES, modelId=model.id, tournament=TOURNAMENT, lastNRounds=limit
    )
    selected = [each for each in tournament.submissions(model) if each.selected]
    return ModelStatus(
        model.name,
        selected[:limit],
        _newest_scores(scores),
        any(each.round == current.number for each in selected),
        stakes.stakes.get(model.id),
        {each.round: each for each in stakes.payouts if each.model_id == model.id},
    )


def _newest_scores(scores: Sequence[Mapping[str, Any]]) -> dict[int, RoundScores]:
    """The scores of the newest day of each round; resolved ones come before all others."""
    found: dict[int, RoundScores] = {}
    for each in scores:
        if each["value"] is None:
            continue
        key = (bool(each["resolved"]), each["day"] or 0)
        known = found.get(each["roundNumber"], RoundScores(-1, False, {}))
        if key < (known.resolved, known.day):
            continue
        values = known.values if key == (known.resolved, known.day) else {}
        found[each["roundNumber"]] = RoundScores(
            key[1], key[0], {**values, each["displayName"]: each["value"]}
        )
    return found


def _parts(status: ModelStatus) -> list[Part]:
    """The model's name, and a table with one line per round."""
    stake = "" if status.stake is None else f"  stake {status.stake:.4f} NMR"
    heading = one_line(f"{status.model}{stake}")
    if not status.submissions:
        return [heading, "  no submission"]
    scores = [status.scores.get(each.round) for each in status.submissions]
    names = list(dict.fromkeys(name for each in scores if each for name in each.values))
    rows = list(map(partial(_row, status, names), status.submissions, scores))
    titles = ("round", "submitted (UTC)", "scores", *map(one_line, names), "payout")
    columns = [*map(Column, titles), Column("file", wraps=True)]
    return [heading, TextTable(columns, rows, indent=2)]


def _row(
    status: ModelStatus, names: Sequence[str], submission: Submission, scores: RoundScores | None
) -> tuple[str, ...]:
    values = scores.values if scores else {}
    return (
        str(submission.round),
        f"{submission.inserted:%Y-%m-%d %H:%M}",
        _state(scores),
        *(f"{values[name]:+.4f}" if name in values else "-" for name in names),
        _shown_payout(status, submission.round),
        submission.filename,
    )


def _state(scores: RoundScores | None) -> str:
    if scores is None:
        return "none yet"
    return "resolved: final" if scores.resolved else f"day {scores.day} of {SCORED_DAYS}"


def _shown_payout(status: ModelStatus, number: int) -> str:
    payout = status.payouts.get(number)
    if payout is None:
        return "-"
    return f"{'paid' if payout.settled else 'pending'} {payout.nmr:+.4f} NMR"


def _as_json(status: ModelStatus) -> dict[str, Any]:
    return {
        "model": status.model,
        "submitted": status.submitted,
        "stake": status.stake,
        "submissions": [_submission_as_json(status, each) for each in status.submissions],
    }


def _submission_as_json(status: ModelStatus, submission: Submission) -> dict[str, Any]:
    """`scores` are final; those of a round that is not resolved are `provisional_scores`."""
    scores = status.scores.get(submission.round, RoundScores(0, False, {}))
    payout = status.payouts.get(submission.round)
    return {
        "round": submission.round,
        "time": submission.inserted.isoformat(),
        "file": submission.filename,
        "scores": dict(scores.values) if scores.resolved else {},
        "provisional_scores": {} if scores.resolved else dict(scores.values),
        "day": scores.day or None,
        "payout": payout.nmr if payout else None,
        "payout_settled": payout.settled if payout else None,
    }
