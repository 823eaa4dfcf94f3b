"""URLs of the tournament's data sets, by numerapi.

numerapi runs in a process of its own: it imports pandas, which takes longer than all other
imports of the supervisor together, and its calls have no time limit. Only the URL comes from
it: its own download resumes without certificate checks, and appends to leftovers of other files.
"""

from __future__ import annotations

import subprocess

from numerai_predict.contract.bootstrap import bootstrap_argv
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.contract.redaction import redact, redact_text
from numerai_predict.storage.dataset_url_query import REFUSED
from numerai_predict.storage.retry import TransferPolicy

_LONGEST_SECONDS = 60.0
PROGRAM = "numerai_predict.storage.dataset_url_query:main"


def dataset_url(name: str, deadline: Deadline) -> str:
    """The presigned URL of a data set like `v5.2/live.parquet`.

    Raises:
        FetchFailed: the tournament has no such file.
        FetchInterrupted: the tournament API does not respond.
        DeadlinePassed: the time for the whole run is over.
    """
    try:
        ended = subprocess.run(
            bootstrap_argv(PROGRAM, name),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline.wait(_LONGEST_SECONDS, "fetch"),
        )
    except subprocess.TimeoutExpired:
        deadline.check("fetch")
        raise FetchInterrupted(
            f"expected the tournament API to name the URL of {name}, "
            f"found no response in {_LONGEST_SECONDS:.0f} s",
            "try again later, or name a local file",
        ) from None
    if ended.returncode == REFUSED:
        raise FetchFailed(
            f"expected a Numerai data set, found that the tournament refuses {name}: "
            f"{redact_text(ended.stderr.strip())}",
            "check the version and the file name; `NumerAPI().list_datasets()` lists them",
        )
    if ended.returncode != 0 or not ended.stdout.strip():
        raise FetchInterrupted(
            f"expected the tournament API to name the URL of {name}, found no response"
            + _last_line(ended.stderr),
            "check the network, try again later, or name a local file; "
            "`numerai-predict data sample` writes a sample",
        )
    return ended.stdout.strip()


class DatasetAddress:
    """The URL of a data set, requested from the tournament.

    The first call returns the URL of the constructor's request. Each further attempt requests
    a new one, because a presigned URL may have expired meanwhile.
    """

    def __init__(self, name: str, policy: TransferPolicy) -> None:
        self._name = name
        self._policy = policy
        self._first: str | None = policy.repeat(self._request, "fetch")
        self.identity = redact(self._first)

    def __call__(self) -> str:
        """The URL for the next attempt."""
        url, self._first = self._first or self._request(), None
        return url

    def _request(self) -> str:
        return dataset_url(self._name, self._policy.deadline)


def _last_line(text: str) -> str:
    lines = redact_text(text).strip().splitlines()
    return f": {lines[-1]}" if lines else ""
