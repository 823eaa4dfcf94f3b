"""`numerai-predict inspect`: which image runs a pickle, and what it needs."""

from __future__ import annotations

import argparse
import json

from numerai_predict.contract.errors import ModelUnavailable
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json, as_text


def run(options: argparse.Namespace) -> int:
    """Print what the inspection found.

    Raises:
        ModelUnavailable: the file cannot be read.
        InvalidPickle: it is not a pickle.
    """
    try:
        inspection = inspect_pickle(options.pickle)
    except OSError as error:
        raise ModelUnavailable(
            f"expected a pickle at {options.pickle}, found: {error.strerror}", "check the path"
        ) from error
    if options.json:
        print(json.dumps(as_json(inspection), indent=2))
    else:
        print(as_text(inspection), end="")
    return 0
