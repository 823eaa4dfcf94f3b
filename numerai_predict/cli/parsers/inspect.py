"""Options of `inspect`."""

from __future__ import annotations

from numerai_predict.cli.options import add_json, add_pickle_file
from numerai_predict.runner.option_parser import OptionParser


def add_options(parser: OptionParser) -> None:
    """Add the options of `inspect`."""
    parser.usage = "%(prog)s PICKLE [OPTIONS]"
    parser.description = (
        "Show which Python made a pickle, what it needs, and which image runs it. Nothing in it "
        "is unpickled, imported or run."
    )
    parser.epilog = "example:\n  numerai-predict inspect my.pkl"
    add_pickle_file(parser, "the model: a file, plain or compressed (detected by suffix)")
    add_json(parser)
    parser.deprecate("--model", suggestion="type numerai-predict inspect PICKLE")
