"""Options of `upload`."""

from __future__ import annotations

from numerai_predict.cli.options import add_model_name, add_pickle_file
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import add_deadline
from numerai_predict.runner.version_mismatch import add_version_mismatch


def add_options(parser: OptionParser) -> None:
    """Add the options of `upload`."""
    parser.usage = "%(prog)s PICKLE --model-name NAME [OPTIONS]"
    parser.description = (
        "Run a pickle on live data as hosted compute does, upload it as a hosted model for the "
        "Python that made it, and wait until the tournament has validated it."
    )
    parser.epilog = "example:\n  numerai-predict upload my.pkl --model-name my_model"
    add_pickle_file(parser, "the model: a file whose name ends in .pkl")
    add_model_name(parser, "numerai-predict upload PICKLE --model-name NAME")
    group = parser.add_argument_group("hosting")
    group.add_argument(
        "--python",
        metavar="VERSION",
        help="Python that runs the hosted model, like 3.12 (default: the one that the inspection "
        "finds, else the tournament's default)",
    )
    group.add_argument(
        "--data-version",
        metavar="VERSION",
        help="version of the data, like v5.2 (default: the one that the pickle names, else the "
        "tournament's default)",
    )
    group.add_argument(
        "--ignore-inspection",
        action="store_true",
        help="upload even if the inspection fails, and skip the test run",
    )
    add_version_mismatch(group)
    add_deadline(parser, 1800)
    parser.deprecate("--force", "--ignore-inspection")
