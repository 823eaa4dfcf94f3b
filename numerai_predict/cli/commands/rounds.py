"""`numerai-predict rounds`: the tournament's rounds, newest first."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from numerai_predict.cli.api import listing_api
from numerai_predict.contract.deadline import Deadline
from numerai_predict.terminal.screen import show
from numerai_predict.terminal.table import Column, TextTable
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import RoundInfo

_COLUMNS = (
    Column("round", right=True),
    Column("opens (UTC)"),
    Column("closes (UTC)"),
    Column("state", state=True),
)


def run(options: argparse.Namespace) -> str:
    """List rounds, newest first; no account is needed."""
    tournament = Tournament(listing_api(Deadline.after(options.deadline), "ask"))
    now = datetime.now(timezone.utc)
    rounds = tournament.rounds(options.limit)
    if options.json:
        print(json.dumps([_as_json(each, now) for each in rounds], indent=2))
    else:
        _print_table(rounds, now)
    current = tournament.current_round()
    return f"round {current.number} is {'open' if current.is_open(now) else 'closed'}"


def _print_table(rounds: Sequence[RoundInfo], now: datetime) -> None:
    rows = [
        (
            str(each.number),
            f"{each.opens:%Y-%m-%d %H:%M}",
            f"{each.closes:%Y-%m-%d %H:%M}",
            _state(each, now),
        )
        for each in rounds
    ]
    show(TextTable(_COLUMNS, rows))


def _as_json(round_: RoundInfo, now: datetime) -> dict[str, Any]:
    return {
        "round": round_.number,
        "opens": round_.opens.isoformat(),
        "closes": round_.closes.isoformat(),
        "resolves": round_.resolves.isoformat() if round_.resolves else None,
        "state": _state(round_, now),
    }


def _state(round_: RoundInfo, now: datetime) -> str:
    if now < round_.opens:
        return "upcoming"
    if round_.is_open(now):
        return "open"
    return "resolved" if round_.resolves and now >= round_.resolves else "resolving"
