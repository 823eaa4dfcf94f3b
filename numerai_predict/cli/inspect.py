"""`numerai-predict inspect`: which image runs a pickle, and what it needs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json, as_text


def main(argv: Sequence[str]) -> int:
    """Print what was found; exit code 10 or 11 if there is no pickle to look at."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict inspect",
        description="Say which Python made a pickle, what it needs, and which image runs it. "
        "Nothing in it is unpickled, imported or run.",
        allow_abbrev=False,
    )
    parser.add_argument("model", help="the pickle, plain or compressed as its name says")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    try:
        inspection = inspect_pickle(options.model)
    except InvalidPickle as error:
        print(f"{options.model}: {error.message} -> {error.remedy}", file=sys.stderr)
        return error.verdict.exit_code
    except OSError as error:
        print(f"{options.model}: {error.strerror}: check the path", file=sys.stderr)
        return Verdict.MODEL_UNAVAILABLE.exit_code
    if options.json:
        print(json.dumps(as_json(inspection), indent=2))
    else:
        print(as_text(inspection), end="")
    return 0
