"""Options of `round`."""

from __future__ import annotations

from numerai_predict.cli.options import (
    add_model_name,
    add_no_container,
    add_pickle_from_anywhere,
    add_round_overrides,
    add_snapshot,
)
from numerai_predict.contract.limits import parse_seconds
from numerai_predict.runner.acceleration_option import add_acceleration
from numerai_predict.runner.option_parser import OptionParser, argparse_type
from numerai_predict.runner.options import add_limits
from numerai_predict.runner.version_mismatch import add_version_mismatch

_DEADLINE_SECONDS = 3300.0  # a weekday's window is one hour
_WAIT_SECONDS = 900.0


def add_options(parser: OptionParser) -> None:
    """Add the options of `round`."""
    parser.usage = "%(prog)s PICKLE --model-name NAME [OPTIONS]"
    parser.description = (
        "Wait for the round to open, fetch live data, run the model isolated, check the gates, "
        "submit, and record the submission. The model runs in the container image that fits the "
        "pickle, if there is one. The same command resumes a round that was interrupted."
    )
    parser.epilog = "example:\n  numerai-predict round my.pkl --model-name my_model"
    add_pickle_from_anywhere(parser)
    add_model_name(parser, "numerai-predict round PICKLE --model-name NAME")
    group = add_round_overrides(parser)
    group.add_argument(
        "--wait",
        type=argparse_type(parse_seconds),
        default=_WAIT_SECONDS,
        metavar="SECONDS",
        help="time to wait for the round to open in seconds, or none for no limit (default: 900)",
    )
    add_version_mismatch(add_snapshot(parser))
    environment = parser.add_argument_group("environment")
    add_no_container(environment)
    add_acceleration(environment)
    add_limits(parser, _DEADLINE_SECONDS)
