"""The tournament's data sets: where numerapi says that a file lies today.

numerapi is asked in a process of its own. It imports pandas, which takes longer
than all the rest of the runner's parent, and its calls have no time limit.
Only the URL is taken from it: its own download resumes with certificate checks
switched off and appends to leftovers of other files.
"""

from __future__ import annotations

import subprocess
import sys

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.contract.redaction import redact, redact_text
from numerai_predict.storage.retry import TransferPolicy

_LONGEST_SECONDS = 60.0
_REFUSED = 3  # exit status of the question below where the tournament said no

_ASK = f"""
import os, sys
import numerapi
from numerapi import base_api

base_api.API_TOURNAMENT_URL = os.environ.get("NUMERAI_API_URL") or base_api.API_TOURNAMENT_URL
try:
    answer = numerapi.NumerAPI(verbosity="critical").raw_query(
        "query ($filename: String!) {{ dataset(filename: $filename) }}",
        {{"filename": sys.argv[1]}},
    )
except ValueError as error:
    sys.stderr.write(str(error))
    sys.exit({_REFUSED})
print((answer.get("data") or {{}}).get("dataset") or "")
"""


def dataset_url(name: str, deadline: Deadline) -> str:
    """The presigned URL of a data set like `v5.2/live.parquet`.

    Raises:
        FetchFailed: the tournament has no such file.
        FetchInterrupted: the tournament's API gives no answer.
        DeadlinePassed: the time for the whole run is over.
    """
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _ASK, name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline.wait(_LONGEST_SECONDS, "fetch"),
        )
    except subprocess.TimeoutExpired:
        deadline.check("fetch")
        raise FetchInterrupted(
            f"expected the tournament's API to name the URL of {name}, "
            f"found no answer in {_LONGEST_SECONDS:.0f} s",
            "try again later, or name a local file",
        ) from None
    if asked.returncode == _REFUSED:
        raise FetchFailed(
            f"expected a Numerai data set, found that the tournament refuses {name}: "
            f"{redact_text(asked.stderr.strip())}",
            "check the version and the file name; `NumerAPI().list_datasets()` lists them",
        )
    if asked.returncode != 0 or not asked.stdout.strip():
        raise FetchInterrupted(
            f"expected the tournament's API to name the URL of {name}, found no answer"
            + _last_line(asked.stderr),
            "check the network, try again later, or name a local file; "
            "`numerai-predict data sample` writes one to try things with",
        )
    return asked.stdout.strip()


class DatasetAddress:
    """Where a data set lies, by the tournament's latest answer.

    A call gives the URL: the one that was asked for first, then, for each further try,
    one asked for anew, as a presigned one may have ended meanwhile.
    """

    def __init__(self, name: str, policy: TransferPolicy) -> None:
        self._name = name
        self._terms = policy
        self._first: str | None = policy.repeat(self._ask, "fetch")
        self.identity = redact(self._first)

    def __call__(self) -> str:
        """The URL for the next try."""
        url, self._first = self._first or self._ask(), None
        return url

    def _ask(self) -> str:
        return dataset_url(self._name, self._terms.deadline)


def _last_line(text: str) -> str:
    lines = redact_text(text).strip().splitlines()
    return f": {lines[-1]}" if lines else ""
