"""The tournament's API as the commands use it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.server_name import API_URL
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.storage.graphql import Api

_LISTING_SECONDS = 8.0


def public_api(deadline: Deadline, step: str) -> Api:
    """The API without an account; `step` is the step of the log and of its errors."""
    return Api(api_url(), transfer_policy(deadline, step))


def listing_api(deadline: Deadline, step: str) -> Api:
    """As `public_api`, for short lists: without a network it gives up after a few seconds."""
    seconds = min(_LISTING_SECONDS, deadline.remaining())
    return public_api(Deadline.after(seconds), step)


def api_url(environment: Mapping[str, str] = os.environ) -> str:
    """The address of the tournament's API: `NUMERAI_API_URL`, or the real one."""
    return environment.get("NUMERAI_API_URL") or API_URL
