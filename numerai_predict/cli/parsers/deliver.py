"""Options of `deliver`."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import add_deadline, add_output_dir, add_post


def add_options(parser: OptionParser) -> None:
    """Add the options of `deliver`."""
    parser.usage = "%(prog)s FILE (--post-url URL --post-data FIELDS | --output-dir DIR) [OPTIONS]"
    parser.description = (
        "Deliver predictions that a run saved but could not deliver. Each attempt uploads the same "
        "bytes under the same key, so it is safe to repeat."
    )
    parser.epilog = (
        "example:\n"
        '  numerai-predict deliver live_predictions-3cfa5d0748fe.csv --post-url "$URL" '
        '--post-data "$DATA"'
    )
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="the CSV of a run, or its result record (--result of predict.py)",
    )
    group = parser.add_argument_group("destinations")
    add_post(group)
    meaning = "directory or s3://bucket/prefix to copy the file to, with or without a POST"
    add_output_dir(group, None, meaning)
    add_deadline(parser)
