"""Options of `diagnose`."""

from __future__ import annotations

import argparse
from pathlib import Path

from numerai_predict.cli.options import add_json, add_no_container, add_pickle_sources, add_snapshot
from numerai_predict.pages.palette import COLOURS
from numerai_predict.runner.acceleration_option import add_acceleration
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import add_limits, add_output_dir
from numerai_predict.runner.version_mismatch import add_version_mismatch


def add_options(parser: OptionParser) -> None:
    """Add the options of `diagnose`."""
    parser.usage = "%(prog)s PICKLE [PICKLE ...] [OPTIONS]"
    parser.description = (
        "Run a pickle, isolated and within the hosted limits, on past eras, each as if it were a "
        "round, and write a report (diagnose.html, diagnose.json) on its scores, exposures and "
        "turnover. Several pickles share one page."
    )
    parser.epilog = (
        "example:\n"
        "  numerai-predict diagnose my.pkl --eras 1100-\n"
        "  numerai-predict diagnose first.pkl second.pkl third.pkl\n"
        "  numerai-predict diagnose my.pkl --validation sample"
    )
    add_pickle_sources(parser, at_most=len(COLOURS))
    add_diagnosis_options(parser)
    parser.deprecate("--local", "--no-container")


def add_diagnosis_options(parser: OptionParser) -> None:
    """Add what `diagnose` and `compare` have in common: past eras, scores, output, limits."""
    data = add_snapshot(parser)
    _add_validation(data)
    add_version_mismatch(data)
    _add_scores(parser)
    output = parser.add_argument_group("output")
    add_output_dir(output, ".", "existing directory for the report", Path)
    add_json(parser, output)
    add_limits(parser)
    environment = parser.add_argument_group("environment")
    add_no_container(environment)
    add_acceleration(environment)


def _add_validation(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--validation",
        metavar="PATH",
        help="file of past eras, or directory with validation.parquet (default: --data-version "
        "in --data-dir); the files next to it are found by their names; a name like "
        "v5.2/validation.parquet means the file in --data-dir",
    )
    for option, meaning, default in (
        ("--features-file", "names of the feature sets, for FNC", "features.json"),
        (
            "--benchmarks",
            "predictions of the benchmark models, for BMC",
            "<validation>_benchmark_models.parquet",
        ),
        ("--meta-model", "predictions of the meta model, for MMC", "meta_model.parquet"),
    ):
        group.add_argument(
            option,
            metavar="FILE",
            help=f"{meaning} (default: {default} next to the validation file)",
        )


def _add_scores(parser: OptionParser) -> None:
    group = parser.add_argument_group("scores")
    group.add_argument(
        "--eras", default="all", help="eras to use, like every:4 or 0600-0700 (default: all)"
    )
    group.add_argument(
        "--target", default="target", metavar="COLUMN", help="target column (default: %(default)s)"
    )
    group.add_argument(
        "--benchmark-model",
        metavar="NAME",
        help="benchmark model that BMC compares with (default: the first of the file)",
    )
    group.add_argument(
        "--fnc-features",
        default="medium",
        metavar="SET",
        help="feature set that FNC neutralizes to, or none (default: %(default)s)",
    )
    parser.deprecate("--features", "--features-file")
    parser.deprecate("--meta_model", "--meta-model")
    parser.deprecate("--benchmark", "--benchmark-model")
    parser.deprecate("--fnc", "--fnc-features")
