"""Options of `run`: those of `predict.py`, with defaults for a first run."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.cli.options import add_no_container, add_pickle_source
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import Defaults, add_run_options
from numerai_predict.storage.directories import dataset_folders, sample_directory


def add_options(parser: OptionParser) -> None:
    """Add the options of `run`."""
    parser.usage = "%(prog)s PICKLE [OPTIONS]"
    parser.description = (
        "Run a pickled prediction function on live data and validate the predictions as the "
        "tournament does. It runs in the container image that fits the pickle, if there is one."
    )
    parser.epilog = (
        "example:\n"
        "  numerai-predict run my.pkl\n"
        "  numerai-predict run my.pkl --dataset v5.2/live.parquet --output-dir predictions"
    )
    add_run_options(parser, add_pickle_source(parser), default_values())
    environment = parser.add_argument_group("environment")
    add_no_container(environment)
    environment.add_argument(
        "--build-image", action="store_true", help="build the container image if it is missing"
    )
    parser.deprecate("--local", "--no-container")
    parser.deprecate("--build", "--build-image")


def default_values() -> Defaults:
    """Sample data as live data, predictions in the current directory."""
    sample = sample_directory()
    return Defaults(
        dataset=str(sample / "live.parquet"),
        benchmarks=str(sample / "live_benchmark_models.parquet"),
        output_dir=Path(),
        dataset_folders=dataset_folders(),
        data_shown="sample data",
    )
