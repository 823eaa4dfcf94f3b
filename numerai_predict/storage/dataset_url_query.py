"""The program that requests the URL of a data set, by numerapi: see `dataset_urls`.

It alone imports numerapi, in a process of its own.
"""

from __future__ import annotations

import os
import sys
from typing import Any

REFUSED = 3  # the exit status where the tournament refuses the name
_QUERY = "query ($filename: String!) { dataset(filename: $filename) }"


def main() -> int:
    """Print the URL of the data set that the argument names; nothing where there is none."""
    import numerapi
    from numerapi import base_api

    url = os.environ.get("NUMERAI_API_URL")
    base_api.API_TOURNAMENT_URL = url or base_api.API_TOURNAMENT_URL
    try:
        make_client: Any = numerapi.NumerAPI
        answer = make_client(verbosity="critical").raw_query(_QUERY, {"filename": sys.argv[1]})
    except ValueError as error:
        sys.stderr.write(str(error))
        return REFUSED
    sys.stdout.write((answer.get("data") or {}).get("dataset") or "")
    return 0
