"""Options of `compare`."""

from __future__ import annotations

from numerai_predict.cli.options import pickle_of
from numerai_predict.cli.parsers.diagnose import add_diagnosis_options
from numerai_predict.runner.option_parser import OptionParser, validated_by
from numerai_predict.runner.options import MODEL_SOURCE


def add_options(parser: OptionParser) -> None:
    """Add the options of `compare`."""
    parser.usage = "%(prog)s PICKLE PICKLE [OPTIONS]"
    parser.description = (
        "Run two pickles on the same past eras and compare their scores era by era. The report "
        "(compare.html, compare.json) says which is better, or that the eras do not decide it. "
        "Eras that one of them was trained on are left out."
    )
    parser.epilog = (
        "example:\n"
        "  numerai-predict compare new.pkl old.pkl --validation sample\n"
        "  numerai-predict compare registry:mine@candidate registry:mine@production"
    )
    source = validated_by(pickle_of)
    parser.add_argument(
        "pickle", type=source, metavar="PICKLE", help=f"the first model: {MODEL_SOURCE}"
    )
    parser.add_argument(
        "second", type=source, metavar="PICKLE", help="the model to compare it with"
    )
    add_diagnosis_options(parser)
