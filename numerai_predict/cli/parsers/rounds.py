"""Options of `rounds`."""

from __future__ import annotations

from numerai_predict.cli.options import add_json, add_limit
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import add_deadline


def add_options(parser: OptionParser) -> None:
    """Add the options of `rounds`."""
    parser.usage = "%(prog)s [OPTIONS]"
    parser.description = "List the tournament's rounds, newest first. No account is needed."
    parser.epilog = "example:\n  numerai-predict rounds --limit 3"
    add_limit(parser)
    add_deadline(parser, 60)
    add_json(parser)
