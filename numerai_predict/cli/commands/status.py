"""`numerai-predict status`: submissions and scores of the account's models."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.data.catalogue import TOURNAMENT
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament import queries
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import AccountModel, RoundInfo, Submission
from numerai_predict.tournament.settings import read_account_settings


@dataclass(frozen=True)
class ModelStatus:
    """A model's latest submissions, newest first, and the scores of rounds by name."""

    model: str
    submissions: list[Submission]
    scores: Mapping[int, Mapping[str, float]]
    submitted: bool


def run(options: argparse.Namespace) -> str:
    """Show submissions and scores; returns a summary of the current round."""
    settings = read_account_settings(options.keys_file)
    policy = transfer_policy(Deadline.after(options.deadline), "ask")
    tournament = Tournament(Api(settings.api_url, policy, settings.required_keys()))
    name = options.model_name
    models = [tournament.model(name)] if name else tournament.models()
    current = tournament.current_round()
    found = [_status_of(tournament, model, current, options.limit) for model in models]
    if options.json:
        print(json.dumps([_as_json(each) for each in found], indent=2))
    else:
        print("\n".join(one_line(line) for each in found for line in _lines(each)))
    state = "open" if current.is_open() else "closed"
    submitted = sum(each.submitted for each in found)
    return f"round {current.number} is {state}; {submitted} of {len(found)} model(s) submitted"


def _status_of(
    tournament: Tournament, model: AccountModel, current: RoundInfo, limit: int
) -> ModelStatus:
    scores: dict[int, dict[str, float]] = defaultdict(dict)
    for each in tournament.query(
        queries.SCORES, modelId=model.id, tournament=TOURNAMENT, lastNRounds=limit
    ):
        if each["resolved"] and each["value"] is not None:
            scores[each["roundNumber"]][each["displayName"]] = each["value"]
    selected = [each for each in tournament.submissions(model) if each.selected]
    submitted = any(each.round == current.number for each in selected)
    return ModelStatus(model.name, selected[:limit], scores, submitted)


def _lines(status: ModelStatus) -> list[str]:
    """The model's name and one line per round."""
    lines = [status.model]
    for each in status.submissions:
        scores = status.scores.get(each.round, {})
        shown = ", ".join(f"{name} {value:+.4f}" for name, value in scores.items())
        when = f"{each.inserted:%Y-%m-%d %H:%M}"
        lines.append(f"  round {each.round}  {when}  {each.filename}  {shown}".rstrip())
    return lines if status.submissions else [*lines, "  no submission"]


def _as_json(status: ModelStatus) -> dict[str, Any]:
    submissions = [
        {
            "round": each.round,
            "time": each.inserted.isoformat(),
            "file": each.filename,
            "scores": dict(status.scores.get(each.round, {})),
        }
        for each in status.submissions
    ]
    return {
        "model": status.model,
        "submitted": status.submitted,
        "submissions": submissions,
    }
