"""`numerai-predict fleet`: many models, one command, one table."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.options import (
    Defaults,
    add_deadline,
    add_limits,
    argparse_type,
    parse_options,
    validated_by,
)
from numerai_predict.storage.sources import source_of

if TYPE_CHECKING:  # Ray is imported when a round begins: it takes seconds
    from numerai_predict.fleet.config import FleetConfig
    from numerai_predict.fleet.environments import Environment
    from numerai_predict.fleet.manifest import ManifestEntry

_UNFINISHED = 1


def main(argv: Sequence[str]) -> int:
    """Run `fleet run` or `fleet status`; 0 only if every model was delivered."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict fleet", allow_abbrev=False, description="Run many models."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run",
        help="run every model of a manifest",
        description="Run every model of a manifest on warm workers, check and deliver each. What "
        "a killed fleet had done is not done again: start it again with the same words.",
        allow_abbrev=False,
    )
    _add_run_options(run)
    status = commands.add_parser("status", help="how a round stands", allow_abbrev=False)
    status.add_argument("directory", type=Path, help="the --output_dir of the round")
    options = parse_options(parser, argv)
    if options.command == "status":
        return _status(status, options.directory)
    return _run(run, options)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    defaults = Defaults.hosted(os.environ)
    parser.add_argument(
        "manifest",
        type=Path,
        help="CSV, JSON Lines or Parquet with a row a model: id, model, and optionally python, "
        "flavour, memory, timeout, post_url, post_data; or a directory of pickles",
    )
    parser.add_argument(
        "--output_dir",
        type=argparse_type(_directory),
        required=True,
        help="an existing directory for all that comes",
    )
    for name, words in (
        ("dataset", "live features: file, URL, s3://... or Numerai data set"),
        ("benchmarks", "live benchmark models, the same"),
    ):
        default = getattr(defaults, name)
        text = f"{words} (default: %(default)s)"
        parser.add_argument(f"--{name}", default=default, type=validated_by(source_of), help=text)
    add_limits(parser)
    add_deadline(parser)
    parser.add_argument(
        "--workers", type=_count, help="models at once (default: one a CPU and --memory)"
    )
    parser.add_argument("--address", help="a Ray cluster, like auto (default: this machine alone)")
    parser.add_argument("--retry-failed", action="store_true", help="run failed models again")
    parser.add_argument(
        "--only", action="append", default=[], metavar="ID", help="this model alone; repeatable"
    )
    parser.add_argument(
        "--local", action="store_true", help="run in this Python, also where an engine answers"
    )
    parser.add_argument(
        "--models_a_worker",
        type=_count,
        default=500,
        help="replace a worker after so many (default: %(default)s)",
    )
    parser.add_argument("--debug", action="store_true", help="log more")
    parser.set_defaults(dataset_folders=defaults.dataset_folders)


def _directory(text: str) -> Path:
    if "://" in text:
        raise ValueError(
            f"expected a directory on a disk, found {text.partition('?')[0]}: ledger, records and "
            "predictions stay there; to send predictions to S3, give models a post_url"
        )
    return Path(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, found {text!r}")
    return int(text)


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    from numerai_predict.fleet.environments import available_environments
    from numerai_predict.fleet.errors import InvalidManifest
    from numerai_predict.fleet.manifest import read_fleet_manifest

    engine = None if options.local else Engine.detect(os.environ)
    places = available_environments(engine)
    if not places:
        parser.error("expected an image to run models in, found none: `make build` makes them")
    orders = _orders(options, engine)
    try:
        entries = read_fleet_manifest(options.manifest, orders.limits, places)
    except InvalidManifest as error:
        print(f"{error}\nnumerai-predict fleet: nothing was run", file=sys.stderr)
        return Verdict.USAGE.exit_code
    if unknown := set(options.only) - {entry.id for entry in entries}:
        parser.error(f"--only: no model {', '.join(sorted(unknown))} in {options.manifest}")
    why_here = "as asked for" if options.local else "no Docker engine answers"
    return _run_round(orders, entries, places, why_here)


def _orders(options: argparse.Namespace, engine: Engine | None) -> FleetConfig:
    from numerai_predict.fleet.config import FleetConfig

    return FleetConfig(
        options.output_dir.absolute(),
        _absolute(options.dataset),
        _absolute(options.benchmarks),
        options.dataset_folders,
        Limits(options.memory, options.timeout),
        Sandbox(options.sandbox),
        options.deadline,
        options.workers,
        options.address,
        options.retry_failed,
        frozenset(options.only),
        options.models_a_worker,
        engine.command if engine else None,
        options.debug,
    )


def _run_round(
    orders: FleetConfig, entries: Sequence[ManifestEntry], places: list[Environment], why_here: str
) -> int:
    from numerai_predict.fleet.errors import FleetError
    from numerai_predict.fleet.progress_display import FleetDisplay
    from numerai_predict.fleet.run import run_fleet

    with FleetDisplay() as display:
        for place in places:
            display.say(f"Models run in {place}")
        if orders.engine is None:
            display.say(f"{why_here}: every model runs in the Python at hand, in no container")
        try:
            in_time = run_fleet(orders, entries, places, display)
        except RunError as error:
            display.say(f"{error.verdict.word}: {error.message} -> {error.remedy}")
            return error.verdict.exit_code
        except (FleetError, ConnectionError) as error:
            display.say(f"numerai-predict fleet: {error}")
            return _UNFINISHED
        except KeyboardInterrupt:
            display.say("Interrupted: the same command goes on where this one was")
            return 128 + signal.SIGINT
    wanted = orders.only or {entry.id for entry in entries}
    return _conclude(orders.output_dir, wanted, in_time)


def _absolute(source: str) -> str:
    return str(Path(source).absolute()) if Path(source).is_file() else source


def _conclude(directory: Path, wanted: Collection[str], in_time: bool) -> int:
    from numerai_predict.fleet.html_report import write_report
    from numerai_predict.fleet.ledger import FleetLedger
    from numerai_predict.fleet.summary import FleetSummary

    ledger = FleetLedger(directory)
    summary = FleetSummary.of(ledger)
    page = write_report(directory, ledger)
    ledger.close()
    print(summary.text())
    print(f"\nEverything is in {directory}; the workers' timeline: {page}")
    if not in_time:
        print("The deadline passed: the same command goes on with the rest")
        return Verdict.DEADLINE.exit_code
    return 0 if summary.delivered(wanted) else _UNFINISHED


def _status(parser: argparse.ArgumentParser, directory: Path) -> int:
    from numerai_predict.fleet.ledger import FILE, FleetLedger
    from numerai_predict.fleet.summary import FleetSummary

    if not (directory / FILE).is_file():
        parser.error(f"expected the output directory of a fleet, found no {FILE} in {directory}")
    ledger = FleetLedger(directory)
    summary = FleetSummary.of(ledger)
    ledger.close()
    print(summary.status())
    return 0 if summary.delivered() else _UNFINISHED
