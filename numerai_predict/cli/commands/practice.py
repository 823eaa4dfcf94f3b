"""`numerai-predict practice`: a local simulation of the tournament's API."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from numerai_predict.cli.parsers.practice import SHAPE_OPTIONS
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.tournament_errors import TournamentUnavailable, UnknownModel
from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.directories import practice_data_directory, practice_directory
from numerai_predict.tournament.practice import process_control
from numerai_predict.tournament.practice.defaults import DEFAULT_MODELS
from numerai_predict.tournament.practice.faults import Fault
from numerai_predict.tournament.practice.schedule import next_round
from numerai_predict.tournament.practice.server import KEYS_FILE, RunningServer, ServerSetup

_AFTER_OPENING = timedelta(minutes=1)


def run(options: argparse.Namespace) -> str | int:
    """Run a sub-command of `practice`; returns the message of success or the exit code."""
    work: dict[str, Callable[[argparse.Namespace], str | int]] = {
        "start": _start,
        "stop": _stop,
        "status": _status,
        "env": _env,
        "clock": _clock,
        "fault": _fault,
        "stake": _stake,
    }
    return work[options.subcommand](options)


def _start(options: argparse.Namespace) -> str:
    shape = {name: getattr(options, name) for name in SHAPE_OPTIONS}
    folder = options.state_dir.absolute()
    try:
        setup = ServerSetup(
            folder=folder,
            port=options.port,
            models=tuple(options.model_name or DEFAULT_MODELS),
            open_round=options.clock == "open",
            shape=SampleShape(**shape),
        )
    except ValueError as error:
        raise TournamentUnavailable(str(error), "choose another shape") from error
    server = process_control.start_server(setup, Deadline.after(options.deadline))
    facts = process_control.server_status(server)
    if options.clock == "open" and not facts["open"]:  # it ran already, and time went on
        facts = process_control.set_clock(server, _opening_after(facts))
    _log_state(facts)
    if missing := set(setup.models) - set(facts["models"]):
        log_step(
            "warning",
            f"the server was already running without {', '.join(sorted(missing))}; stop it, then "
            "start it with these models",
        )
    log_step("keys", f"in {folder / KEYS_FILE}")
    where = "" if folder == practice_directory() else f" --state-dir {shlex.quote(str(folder))}"
    return f'running at {server.url}; next: eval "$(numerai-predict practice env{where})"'


def _stop(options: argparse.Namespace) -> str:
    stopped = process_control.stop_server(options.state_dir, Deadline.after(options.deadline))
    return "stopped" if stopped else "the server was not running"


def _status(options: argparse.Namespace) -> str:
    server = _running(options)
    facts = process_control.server_status(server)
    if options.json:
        print(json.dumps({"url": server.url, **facts}, indent=2))
    else:
        _log_state(facts)
    return f"running at {server.url}"


def _env(options: argparse.Namespace) -> int:
    folder = options.state_dir.absolute()
    path = shlex.quote(str(folder / KEYS_FILE))
    data = shlex.quote(str(practice_data_directory(folder)))
    print(f"set -a; . {path}; NUMERAI_DATA_DIR={data}; set +a")
    return 0


def _clock(options: argparse.Namespace) -> str:
    server = _running(options)
    facts = process_control.server_status(server)
    if options.open:
        to: datetime | None = _opening_after(facts)
    elif options.advance is not None:
        to = datetime.fromisoformat(facts["clock"]) + options.advance
    else:
        to = options.to
    _log_state(process_control.set_clock(server, to))
    return "the clock is set"


def _opening_after(facts: Mapping[str, Any]) -> datetime:
    return next_round(datetime.fromisoformat(facts["clock"])).opens + _AFTER_OPENING


def _fault(options: argparse.Namespace) -> str:
    server = _running(options)
    fault = None
    if options.kind != "off":
        names = ("kind", "share", "count", "contains", "seed")
        values = {name: getattr(options, name) for name in names}
        try:
            fault = asdict(Fault(place=options.endpoint, seconds=options.delay, **values))
        except ValueError as error:
            raise TournamentUnavailable(str(error), "choose another fault") from error
    _log_state(process_control.switch_fault(server, fault))
    return f"{options.kind}" if fault else "no fault is on"


def _stake(options: argparse.Namespace) -> str:
    server = _running(options)
    known = process_control.server_status(server)["models"]
    names = options.model_name or known
    if unknown := set(names) - set(known):
        raise UnknownModel(
            f"expected models among {', '.join(known)}, found {', '.join(sorted(unknown))}",
            "name one of them, or start the server with `--model-name`",
        )
    _log_state(process_control.set_stakes(server, names, options.nmr))
    return f"the stake is {options.nmr:g} NMR for {', '.join(names)}"


def _running(options: argparse.Namespace) -> RunningServer:
    server = process_control.find_server(options.state_dir)
    if server is None:
        raise TournamentUnavailable(
            f"expected a practice server with state in {options.state_dir}, found none running",
            "start it with `numerai-predict practice start`",
        )
    return server


def _log_state(facts: Mapping[str, Any]) -> None:
    log_step("clock", f"{_minute(facts['clock'])} is the server's time: {_rounds(facts, '')}")
    if _minute(facts["closes"]) != _minute(facts["client_closes"]):
        log_step("here", f"by this machine's clock, as in `rounds`: {_rounds(facts, 'client_')}")
    log_step("models", ", ".join(facts["models"]))
    stakes = {name: nmr for name, nmr in facts["stakes"].items() if nmr is not None}
    if stakes:
        log_step("stakes", ", ".join(f"{name} {nmr:.4f} NMR" for name, nmr in stakes.items()))
    log_step("holds", f"{facts['submissions']} submission(s), {facts['pickles']} pickle(s)")
    if facts["fault"]:
        log_step("fault", json.dumps(facts["fault"]))


def _rounds(facts: Mapping[str, Any], clock: str) -> str:
    """The times of the rounds by the server's clock, or by that of its clients (`client_`)."""
    closes, opens = (_minute(facts[f"{clock}{name}"]) for name in ("closes", "next_opens"))
    state = f"is open until {closes}" if facts["open"] else f"closed {closes}"
    return f"round {facts['round']} {state}, the next opens {opens}"


def _minute(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"
