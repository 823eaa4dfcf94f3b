"""Options of `train`."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.cli.options import add_json
from numerai_predict.cli.parsers.registry import model_name
from numerai_predict.runner.option_parser import OptionParser, argparse_type
from numerai_predict.runner.options import add_deadline


def add_options(parser: OptionParser) -> None:
    """Add the options of `train`."""
    parser.usage = "%(prog)s [CONFIG] [OPTIONS]"
    parser.description = (
        "Train models on the tournament's data, validate them on walk-forward windows, and "
        "bundle them as one pickle, verified by a test run. The same command resumes an "
        "interrupted training."
    )
    parser.epilog = (
        "example:\n"
        "  numerai-predict train --print-defaults > train.yaml\n"
        "  numerai-predict train train.yaml\n"
        "\n"
        "Environment variables override single keys: NUMERAI_TRAIN_ROUNDS=100, "
        "NUMERAI_TRAIN_LIGHTGBM__NUM_LEAVES=31, NUMERAI_TRAIN_SEEDS='[42]'."
    )
    parser.add_argument(
        "config",
        nargs="?",
        type=Path,
        metavar="CONFIG",
        help="YAML file; a missing key has its default, and so have all without a file",
    )
    _add_training_options(parser)
    add_json(parser)
    parser.deprecate("--defaults", "--print-defaults")


def _add_training_options(parser: OptionParser) -> None:
    group = parser.add_argument_group("training")
    group.add_argument(
        "--python",
        metavar="VERSION",
        help="make the bundle for this Python, like 3.12, in its container image",
    )
    group.add_argument(
        "--reveal-holdout",
        action="store_true",
        help="score the holdout and record this evaluation",
    )
    group.add_argument(
        "--force",
        action="store_true",
        help="allow an embargo shorter than the target names or the data require",
    )
    group.add_argument(
        "--register",
        type=argparse_type(model_name),
        metavar="NAME",
        help="add the bundle to the registry, as the next version of this model",
    )
    group.add_argument(
        "--plan",
        action="store_true",
        help="show windows, rows, and the memory and time that the training would take, and stop",
    )
    group.add_argument(
        "--print-defaults", action="store_true", help="print every key with its default as YAML"
    )
    add_deadline(parser)
