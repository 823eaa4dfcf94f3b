"""Options of `submit`."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.cli.options import add_model_name, add_round_overrides, add_snapshot
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import add_deadline
from numerai_predict.runner.version_mismatch import add_version_mismatch


def add_options(parser: OptionParser) -> None:
    """Add the options of `submit`."""
    parser.usage = "%(prog)s FILE --model-name NAME [OPTIONS]"
    parser.description = (
        "Check predictions against the gates and submit them to the current round. The same "
        "predictions are not submitted twice."
    )
    parser.epilog = (
        "example:\n  numerai-predict submit live_predictions-3cfa5d0748fe.csv --model-name my_model"
    )
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="the CSV of a run, or its result record (--result of predict.py)",
    )
    add_model_name(parser, "numerai-predict round PICKLE --model-name NAME")
    add_round_overrides(parser)
    add_version_mismatch(add_snapshot(parser))
    add_deadline(parser, 600)
