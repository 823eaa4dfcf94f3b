"""Options of `deliver`."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import add_deadline, add_output_dir, add_post


def add_options(parser: OptionParser) -> None:
    """Add the options of `deliver`."""
    parser.usage = "%(prog)s FILE (--post-url URL --post-data FIELDS | --output-dir DIR) [OPTIONS]"
    parser.description = (
        "Upload predictions that were saved and not delivered. Bytes and form key are the same "
        "at each attempt, so that a repeated upload does no harm."
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
