"""Options of `status`."""

from __future__ import annotations

from numerai_predict.cli.options import add_json, add_limit, add_model_name
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import add_deadline


def add_options(parser: OptionParser) -> None:
    """Add the options of `status`."""
    parser.usage = "%(prog)s [OPTIONS]"
    parser.description = "Show the submissions of your models, with scores, stakes and payouts."
    parser.epilog = "example:\n  numerai-predict status --model-name my_model"
    add_model_name(parser, "numerai-predict status --model-name NAME", required=False)
    add_limit(parser)
    add_deadline(parser, 60)
    add_json(parser)
