"""`numerai-predict practice`: a tournament on this machine to try everything with."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from numerai_predict.cli.common import add_deadline, exit_code_of
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.tournament_errors import TournamentUnavailable
from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.directories import state_directory
from numerai_predict.tournament.practice import process_control
from numerai_predict.tournament.practice.defaults import DEFAULT_MODELS, DEFAULT_PORT, DEFAULT_SHAPE
from numerai_predict.tournament.practice.faults import KINDS, PLACES, Fault
from numerai_predict.tournament.practice.schedule import next_round
from numerai_predict.tournament.practice.server import KEYS_FILE, Running, Setup

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AFTER_OPENING = timedelta(minutes=1)


def main(argv: Sequence[str]) -> int:
    """Run a command of `practice`; the exit code of its verdict."""
    parser = argparse.ArgumentParser(prog="numerai-predict practice", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_start(commands)
    _add(commands, "stop", "end it; what it holds stays")
    _add(commands, "status", "tell its clock, round, models and faults")
    _add(commands, "env", 'print what a shell needs: eval "$(numerai-predict practice env)"')
    _add_clock(commands)
    _add_fault(commands)
    options = parser.parse_args(argv)
    if options.command == "env":
        return _env(options)
    work = {
        "start": _start,
        "stop": _stop,
        "status": _status,
        "clock": _clock,
        "fault": _fault,
    }[options.command]
    return exit_code_of(lambda: work(options))


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, allow_abbrev=False)
    parser.add_argument(
        "--directory",
        type=Path,
        default=_usual_directory(),
        help="where it keeps everything (default: %(default)s)",
    )
    add_deadline(parser, 120)
    return parser


def _add_start(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(commands, "start", "start it, unless it runs")
    parser.add_argument(
        "--port",
        type=int,
        help=f"0 for a free one (default: {DEFAULT_PORT}, or a free one if that is taken)",
    )
    parser.add_argument(
        "--model",
        action="append",
        dest="models",
        metavar="NAME",
        help=f"a model of the account, once or more (default: {' and '.join(DEFAULT_MODELS)})",
    )
    parser.add_argument(
        "--clock",
        choices=["open", "keep"],
        default="open",
        help="go on to the next opening if no round is open, or keep the time (default: open)",
    )
    for name in ("live_rows", "rows", "train_eras", "validation_eras", "features"):
        parser.add_argument(
            f"--{name}",
            type=int,
            default=getattr(DEFAULT_SHAPE, name),
            help="as of `data sample`, for a new tournament (default: %(default)s)",
        )


def _add_clock(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(commands, "clock", "drive its clock: rounds open, close and resolve by it")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--open", action="store_true", help="to the next opening of a round")
    which.add_argument("--advance", type=_span, metavar="SPAN", help="by 30m, 2h, 31d")
    which.add_argument("--to", type=_moment, metavar="TIME", help="to 2026-07-07T12:30, in UTC")
    which.add_argument("--real", action="store_true", help="to the real time")


def _add_fault(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(commands, "fault", "switch a fault on, or all off")
    parser.add_argument("kind", choices=[*KINDS, "off"])
    parser.add_argument("--share", type=float, default=1.0, help="of the requests (default: all)")
    parser.add_argument("--count", type=int, help="the next so many requests alone")
    parser.add_argument("--place", choices=PLACES, help="there alone")
    parser.add_argument("--contains", default="", help="GraphQL requests with this text alone")
    parser.add_argument("--seconds", type=float, default=5.0, help="that `slow` takes")
    parser.add_argument("--seed", type=int, default=0, help="of chance")


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"expected a span like 30m, 2h or 31d, found {text!r}")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a time like 2026-07-07T12:30, found {text!r}"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _start(options: argparse.Namespace) -> str:
    shape = {
        name: getattr(options, name)
        for name in ("live_rows", "rows", "train_eras", "validation_eras", "features")
    }
    folder = options.directory.absolute()
    try:
        setup = Setup(
            folder=folder,
            port=options.port,
            models=tuple(options.models or DEFAULT_MODELS),
            open_round=options.clock == "open",
            shape=SampleShape(**shape),
        )
    except ValueError as error:
        raise TournamentUnavailable(str(error), "choose another shape") from error
    server = process_control.start(setup, Deadline.after(options.deadline))
    facts = process_control.status(server)
    if options.clock == "open" and not facts["open"]:  # it ran already, and time went on
        facts = process_control.set_clock(server, _opening_after(facts))
    _tell(facts)
    if missing := set(setup.models) - set(facts["models"]):
        log_step("warning", f"it ran already, without {', '.join(sorted(missing))}: stop it first")
    log_step("keys", f"in {folder / KEYS_FILE}")
    where = "" if folder == _usual_directory() else f" --directory {shlex.quote(str(folder))}"
    return f'running at {server.url}; next: eval "$(numerai-predict practice env{where})"'


def _stop(options: argparse.Namespace) -> str:
    stopped = process_control.stop(options.directory, Deadline.after(options.deadline))
    return "stopped" if stopped else "it was not running"


def _status(options: argparse.Namespace) -> str:
    server = _running(options)
    _tell(process_control.status(server))
    return f"running at {server.url}"


def _env(options: argparse.Namespace) -> int:
    path = shlex.quote(str(options.directory.absolute() / KEYS_FILE))
    print(f"set -a; . {path}; set +a")
    return 0


def _clock(options: argparse.Namespace) -> str:
    server = _running(options)
    facts = process_control.status(server)
    if options.open:
        to: datetime | None = _opening_after(facts)
    elif options.advance is not None:
        to = datetime.fromisoformat(facts["clock"]) + options.advance
    else:
        to = options.to
    _tell(process_control.set_clock(server, to))
    return "the clock is set"


def _opening_after(facts: Mapping[str, Any]) -> datetime:
    return next_round(datetime.fromisoformat(facts["clock"])).opens + _AFTER_OPENING


def _usual_directory() -> Path:
    return state_directory() / "practice"


def _fault(options: argparse.Namespace) -> str:
    server = _running(options)
    fault = None
    if options.kind != "off":
        names = ("kind", "share", "count", "place", "contains", "seconds", "seed")
        try:
            fault = asdict(Fault(**{name: getattr(options, name) for name in names}))
        except ValueError as error:
            raise TournamentUnavailable(str(error), "choose another fault") from error
    _tell(process_control.switch_fault(server, fault))
    return f"{options.kind}" if fault else "no fault is on"


def _running(options: argparse.Namespace) -> Running:
    server = process_control.running(options.directory)
    if server is None:
        raise TournamentUnavailable(
            f"expected a practice tournament of {options.directory}, found none running",
            "start it with `numerai-predict practice start`",
        )
    return server


def _tell(facts: Mapping[str, Any]) -> None:
    state = f"open until {facts['closes']}" if facts["open"] else "closed"
    log_step("clock", f"{facts['clock']}: round {facts['round']} is {state}")
    log_step("next", f"the next round opens {facts['next_opens']}")
    log_step("models", ", ".join(facts["models"]))
    log_step("holds", f"{facts['submissions']} submission(s), {facts['pickles']} pickle(s)")
    if facts["fault"]:
        log_step("fault", json.dumps(facts["fault"]))
