"""Options of `data get`, `data list`, `data verify` and `data sample`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from numerai_predict.cli.options import add_data_dir, add_json, add_snapshot
from numerai_predict.data.sample_shape import DEFAULT_SHAPE, FILES, SampleShape
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import add_deadline

# What MMC and BMC compare with; a version of the data may lack some of them.
COMPARISON_FILES = (
    "train_benchmark_models",
    "validation_benchmark_models",
    "live_benchmark_models",
    "meta_model",
)
DEFAULT_FILES = ("features", "train", "validation", "live", *COMPARISON_FILES)

_SHAPE_HELP = {
    "live_rows": "rows of live data",
    "rows": "rows per era of train and validation data",
    "train_eras": "eras of train data",
    "validation_eras": "eras of validation data",
    "features": "number of features",
    "signal": "mean correlation of the best possible prediction with the target's score",
    "seed": "seed of the random numbers",
    "quantum": "features in the set `quantum` of v5.3",
}


def add_options(parser: OptionParser) -> None:
    """Add the sub-commands of `data`."""
    parser.description = "Fetch, list and verify the tournament's data sets; write samples."
    commands = parser.add_commands("subcommand")
    _add_get(
        commands.add_parser(
            "get",
            help="fetch data sets into a snapshot",
            description="Fetch data sets, verify them, and record them with round and time in a "
            "manifest. Unchanged files are not fetched again.",
            usage="%(prog)s [FILE ...] [OPTIONS]",
            epilog="example:\n  numerai-predict data get train validation --data-version v5.2",
        )
    )
    _add_list(
        commands.add_parser(
            "list",
            help="list the tournament's files and the local ones",
            description="List the tournament's files. Local files are shown with size, round and "
            "time.",
            usage="%(prog)s [OPTIONS]",
            epilog="example:\n  numerai-predict data list --offline",
        )
    )
    _add_verify(commands)
    _add_sample(
        commands.add_parser(
            "sample",
            help="write a synthetic data set in the shape of v5.2",
            description="Write a synthetic data set in the shape of v5.2 with a weak signal: "
            + ", ".join(FILES),
            usage="%(prog)s DIR [OPTIONS]",
            epilog="example:\n  numerai-predict data sample sample --rows 50",
        )
    )


def _add_get(parser: OptionParser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="FILE",
        help="names as shown by `data list`, without the suffix "
        f"(default: {' '.join(DEFAULT_FILES)})",
    )
    group = add_snapshot(parser)
    group.add_argument("--refetch", action="store_true", help="fetch unchanged files too")
    add_deadline(parser, 7200)
    parser.deprecate("--force", "--refetch")


def _add_list(parser: OptionParser) -> None:
    group = add_snapshot(parser, version=None)
    group.add_argument(
        "--offline", action="store_true", help="list local files only, without network access"
    )
    add_deadline(parser, 60)
    add_json(parser)
    parser.deprecate("--local", "--offline")


def _add_verify(commands: argparse._SubParsersAction[OptionParser]) -> None:
    parser = commands.add_parser(
        "verify",
        help="compare the local files with their manifest",
        description="Hash the local files and compare them with their manifest.",
        usage="%(prog)s [OPTIONS]",
        epilog="example:\n  numerai-predict data verify",
    )
    add_data_dir(parser.add_argument_group("data"))
    add_json(parser)
    parser.deprecate("--directory", "--data-dir")


def _add_sample(parser: OptionParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="directory for the files")
    group = parser.add_argument_group("shape")
    for field in fields(SampleShape):
        add_shape_option(parser, group, field.name, DEFAULT_SHAPE, _SHAPE_HELP[field.name])


def add_shape_option(
    parser: OptionParser,
    group: argparse._ArgumentGroup,
    name: str,
    default: SampleShape,
    meaning: str,
) -> None:
    """Add the option for a field of `SampleShape`, with its deprecated spelling."""
    option = "--feature-count" if name == "features" else "--" + name.replace("_", "-")
    value = getattr(default, name)
    group.add_argument(
        option,
        dest=name,
        type=type(value),
        default=value,
        metavar="NUMBER",
        help=f"{meaning} (default: %(default)s)",
    )
    if option != f"--{name}":
        parser.deprecate(f"--{name}", option)
