"""Options of the sub-commands of `practice`."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

from numerai_predict.cli.options import add_json, no_pickle
from numerai_predict.cli.parsers.dataset import add_shape_option
from numerai_predict.runner.option_parser import OptionParser, argparse_type
from numerai_predict.runner.options import add_deadline
from numerai_predict.storage.directories import practice_directory
from numerai_predict.tournament.practice.defaults import (
    DEFAULT_MODELS,
    DEFAULT_PORT,
    DEFAULT_SHAPE,
)
from numerai_predict.tournament.practice.faults import FaultEndpoint, FaultKind
from numerai_predict.tournament.practice.stakes import parse_nmr

SHAPE_OPTIONS = ("live_rows", "rows", "train_eras", "validation_eras", "features")

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SUMMARIES = {
    "start": "start the server, unless it is running",
    "stop": "stop the server; its state is kept",
    "status": "show clock, round, models and fault of the server",
    "env": "print shell commands that point other commands to the server",
    "clock": "set the server's clock, by which rounds open, close and resolve",
    "fault": "activate a fault, or deactivate it with off",
    "stake": "set the stake of models, which payouts and burns depend on",
}
_POSITIONALS = {"fault": "KIND ", "stake": "NMR "}
_EXAMPLES = {
    "start": "numerai-predict practice start",
    "stop": "numerai-predict practice stop",
    "status": "numerai-predict practice status",
    "env": 'eval "$(numerai-predict practice env)"',
    "clock": "numerai-predict practice clock --open",
    "fault": "numerai-predict practice fault 5xx --share 0.3",
    "stake": "numerai-predict practice stake 10 --model-name practice_one",
}


def add_options(parser: OptionParser) -> None:
    """Add the sub-commands of `practice`."""
    parser.description = (
        "A local simulation of the tournament's API, with its own clock: try every command "
        "without an account."
    )
    commands = parser.add_commands("subcommand")
    parsers = {name: _add_command(commands, name) for name in _SUMMARIES}
    add_json(parsers["status"])
    _add_start(parsers["start"])
    _add_clock(parsers["clock"])
    _add_fault(parsers["fault"])
    _add_stake(parsers["stake"])


def _add_command(commands: argparse._SubParsersAction[OptionParser], name: str) -> OptionParser:
    summary = _SUMMARIES[name]
    parser: OptionParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        usage=f"%(prog)s {_POSITIONALS.get(name, '')}[OPTIONS]",
        epilog=f"example:\n  {_EXAMPLES[name]}",
    )
    group = parser.add_argument_group("server")
    group.add_argument(
        "--state-dir",
        type=Path,
        default=practice_directory(),
        metavar="DIR",
        help="directory of the server's state (default: ~/.local/state/numerai-predict/practice)",
    )
    add_deadline(parser, 120)
    parser.deprecate("--directory", "--state-dir")
    return parser


def _add_start(parser: OptionParser) -> None:
    group = parser.add_argument_group("tournament")
    group.add_argument(
        "--port",
        type=int,
        help=f"0 for a free one (default: {DEFAULT_PORT}, or a free one if that is taken)",
    )
    group.add_argument(
        "--model-name",
        action="append",
        metavar="NAME",
        help=f"a model of the account; can be repeated (default: {' and '.join(DEFAULT_MODELS)})",
    )
    group.add_argument(
        "--clock",
        choices=["open", "keep"],
        default="open",
        help="advance to the next opening if no round is open, or keep the time (default: open)",
    )
    for name in SHAPE_OPTIONS:
        meaning = f"{name.replace('_', ' ')} of a new tournament (see `data sample`)"
        add_shape_option(parser, group, name, DEFAULT_SHAPE, meaning)
    usage = "numerai-predict practice start --model-name NAME"
    parser.deprecate("--model", "--model-name", objection=no_pickle(usage))


def _add_clock(parser: OptionParser) -> None:
    group = parser.add_argument_group("time").add_mutually_exclusive_group(required=True)
    group.add_argument("--open", action="store_true", help="advance to the next opening")
    group.add_argument(
        "--advance", type=argparse_type(_span), metavar="SPAN", help="advance by 30m, 2h or 31d"
    )
    group.add_argument(
        "--to", type=argparse_type(_moment), metavar="TIME", help="to 2026-07-07T12:30, in UTC"
    )
    group.add_argument("--real", action="store_true", help="return to the real time")


def _add_fault(parser: OptionParser) -> None:
    parser.add_argument(
        "kind", choices=[*(kind.value for kind in FaultKind), "off"], help="kind of fault, or off"
    )
    group = parser.add_argument_group("fault")
    group.add_argument(
        "--share",
        type=float,
        default=1.0,
        metavar="FRACTION",
        help="fraction of the requests that fail (default: %(default)s)",
    )
    group.add_argument(
        "--count", type=int, metavar="NUMBER", help="only the next requests (default: all)"
    )
    group.add_argument(
        "--endpoint",
        choices=[each.value for each in FaultEndpoint],
        help="only requests to this endpoint (default: all)",
    )
    group.add_argument(
        "--contains", default="", metavar="TEXT", help="only GraphQL requests containing TEXT"
    )
    group.add_argument(
        "--delay",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="delay of each response for the fault slow, in seconds (default: %(default)s)",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="NUMBER",
        help="seed of the random numbers (default: %(default)s)",
    )
    parser.deprecate("--place", "--endpoint")
    parser.deprecate("--seconds", "--delay")


def _add_stake(parser: OptionParser) -> None:
    parser.add_argument("nmr", type=argparse_type(parse_nmr), metavar="NMR", help="amount of NMR")
    parser.add_argument_group("stake").add_argument(
        "--model-name",
        action="append",
        metavar="NAME",
        help="a model of the account; can be repeated (default: every model)",
    )


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"expected a span like 30m, 2h or 31d, found {text!r}")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a time like 2026-07-07T12:30, found {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
