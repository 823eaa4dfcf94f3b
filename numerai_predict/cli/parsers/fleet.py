"""Options of `fleet run` and `fleet status`."""

from __future__ import annotations

import os
from pathlib import Path

from numerai_predict.cli.options import add_json, add_no_container, positive_integer
from numerai_predict.runner.acceleration_option import add_acceleration
from numerai_predict.runner.option_parser import OptionParser, argparse_type
from numerai_predict.runner.options import (
    Defaults,
    add_hosted,
    add_limits,
    add_live_data,
    add_output_dir,
)
from numerai_predict.runner.version_mismatch import add_version_mismatch


def add_options(parser: OptionParser) -> None:
    """Add the sub-commands of `fleet`."""
    parser.hint("PICKLE", "to run one model: numerai-predict run PICKLE")
    commands = parser.add_commands("subcommand")
    run = commands.add_parser(
        "run",
        help="run every model of a manifest",
        description="Run every model of a manifest in workers; validate and deliver the "
        "predictions of each. The same command resumes a fleet run that was interrupted: models "
        "that were delivered are not run again.",
        usage="%(prog)s MANIFEST --output-dir DIR [OPTIONS]",
        epilog="example:\n  numerai-predict fleet run models/ --output-dir fleet-1 --deadline 3300",
    )
    _add_run(run)
    status = commands.add_parser(
        "status",
        help="show the progress of a fleet run",
        description="Show how many models of a fleet run are delivered, failed or pending.",
        usage="%(prog)s DIR [OPTIONS]",
        epilog="example:\n  numerai-predict fleet status fleet-1",
    )
    meaning = "the --output-dir of the fleet run"
    status.add_argument("directory", type=Path, metavar="DIR", help=meaning)
    add_json(status)


def _add_run(parser: OptionParser) -> None:
    parser.add_argument(
        "manifest",
        type=Path,
        metavar="MANIFEST",
        help="CSV, JSON Lines or Parquet with one row per model: id, model, and optionally "
        "python, flavour, memory, timeout, post_url, post_data, tags; or a directory of pickles",
    )
    defaults = Defaults.hosted(os.environ)
    data = parser.add_argument_group("data and results")
    add_live_data(data, defaults)
    add_version_mismatch(data)
    meaning = "existing directory for predictions, records, logs and the ledger"
    add_output_dir(data, None, meaning, argparse_type(_directory), required=True)
    data.add_argument(
        "--page",
        action="store_true",
        help="update fleet.html during the fleet run, at most every 5 seconds",
    )
    add_hosted(data)
    add_acceleration(data)
    add_limits(parser)
    _add_scheduling(parser)
    add_json(parser)
    parser.set_defaults(dataset_folders=defaults.dataset_folders)
    parser.hint("--model", "to run one model: numerai-predict run PICKLE")


def _add_scheduling(parser: OptionParser) -> None:
    group = parser.add_argument_group("scheduling")
    count = argparse_type(positive_integer)
    group.add_argument(
        "--concurrency",
        type=count,
        metavar="COUNT",
        help="models that run at once (default: as many as CPUs and --memory allow)",
    )
    group.add_argument(
        "--models-per-worker",
        type=count,
        default=500,
        metavar="COUNT",
        help="replace a worker after this many models (default: %(default)s)",
    )
    group.add_argument(
        "--ray-address",
        metavar="ADDRESS",
        help="address of a Ray cluster, or auto (default: an embedded cluster on this machine)",
    )
    group.add_argument("--retry-failed", action="store_true", help="run failed models again")
    group.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="run only this model; can be repeated",
    )
    add_no_container(group)
    parser.deprecate("--workers", "--concurrency")
    parser.deprecate("--models_a_worker", "--models-per-worker")
    parser.deprecate("--address", "--ray-address")
    parser.deprecate("--local", "--no-container")


def _directory(text: str) -> Path:
    if "://" in text:
        raise ValueError(
            f"expected a directory on a disk, found {text.partition('?')[0]}: ledger, records and "
            "predictions stay there; to send predictions to S3, give models a post_url"
        )
    return Path(text)
