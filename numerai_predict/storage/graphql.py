"""The tournament's GraphQL API: one POST per query or mutation.

numerapi is not used for these: its calls have no time limit, it retries only after HTTP 500
and above, and a failed call surfaces as `KeyError: 'data'`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.contract.foreign_text import printable_lines
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.redaction import redact, redact_text
from numerai_predict.contract.server_name import is_loopback, server_of
from numerai_predict.contract.tournament_errors import LocalServerStopped, TournamentUnavailable
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy
from numerai_predict.storage.transfer.http import (
    describe_network_error,
    error_response_of,
    is_refused_connection,
    new_session,
)
from numerai_predict.storage.transfer.response_headers import TRANSFER_ERRORS, read_whole

STEP = "ask"

_MOST_CHARACTERS = 500
_PRACTICE_REMEDY = (
    "start the practice server with `numerai-predict practice start`, or leave it with "
    "`unset NUMERAI_API_URL`"
)
_MOST_BYTES = 32 * 1024 * 1024  # thousands of submissions are 2 MB
_MOST_SECONDS = 30.0
_MOST_LOCAL_ATTEMPTS = 5  # 4 s on average: a server that restarts is back by then
_REMEDY = "check the network and NUMERAI_API_URL, or try again later"


@dataclass(frozen=True)
class Keys:
    """An account's API key; its representation shows nothing of it."""

    public_id: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of the header `Authorization`."""
        return f"Token {self.public_id}${self.secret_key}"


class RefusalReason(Enum):
    """Why the API refuses a request, as far as its message reveals it."""

    INVALID_SESSION = "invalid session"  # key, scope or model: the API has one message for all
    NO_OPEN_ROUND = "no open round"
    OTHER = "other"


class RequestRefused(Exception):
    """The API responded with errors in place of data; `message` is its own text."""

    def __init__(self, message: str) -> None:
        self.message = printable_lines(redact_text(message), _MOST_CHARACTERS)
        self.reason = _classify(self.message)
        super().__init__(self.message)


class _NothingListens(FetchInterrupted):
    """The connection to a server on this machine was refused."""


def _classify(message: str) -> RefusalReason:
    """Read the reason from the API's text: it has no error codes.

    This is the only place that decides by that text.
    """
    if "session is invalid" in message.lower():
        return RefusalReason.INVALID_SESSION
    if "not open" in message:
        return RefusalReason.NO_OPEN_ROUND
    return RefusalReason.OTHER


REFUSAL_RETRY = RetryPolicy(
    attempts=4, backoff=Backoff(0.5, 2.0, jitter=False), retry_on=(RequestRefused,)
)


@dataclass(frozen=True)
class Api:
    """The API at `url`, for the account of `keys`, or for public queries without them.

    `policy` bounds each request and repeats interrupted queries; `refusal_retry` repeats
    queries that the API refuses, because some of its errors are temporary.
    """

    url: str
    policy: TransferPolicy
    keys: Keys | None = None
    refusal_retry: RetryPolicy = REFUSAL_RETRY

    def query(self, query: str, **variables: Any) -> Any:
        """The value of the first field of the response, retried until there is a response.

        Only for queries: a mutation that is repeated may take effect twice, see `mutate`. The
        policy repeats it; a server on this machine that refuses connections ends that earlier.

        Raises:
            RequestRefused: the API responded with errors.
            TournamentUnavailable: no response after all attempts; `LocalServerStopped` after a few
                that a server on this machine refused to be connected.
            DeadlinePassed: the time for the whole run is over.
        """
        failed = 0

        def attempt() -> Any:
            nonlocal failed
            try:
                return self._send(query, variables)
            except FetchInterrupted as error:
                failed += 1
                if failed == 1 and self.is_local:  # said before the wait, not after it
                    self.policy.log(f"if the practice server is stopped: {_PRACTICE_REMEDY}")
                if failed == _MOST_LOCAL_ATTEMPTS and isinstance(error, _NothingListens):
                    raise LocalServerStopped(
                        f"{error.message}; gave up after {failed} attempts", _PRACTICE_REMEDY
                    ) from error
                raise

        try:
            return self.policy.repeat(attempt, STEP)
        except FetchInterrupted as error:
            remedy = _PRACTICE_REMEDY if self.is_local else error.remedy
            raise TournamentUnavailable(error.message, remedy) from error
        except FetchFailed as error:
            raise TournamentUnavailable(error.message, error.remedy) from error

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine: a practice server."""
        return is_loopback(server_of(self.url))

    def query_with_retry(self, query: str, **variables: Any) -> Any:
        """As `query`, also repeated after the API responded with errors.

        Raises:
            RequestRefused: the API responded with errors to each attempt.
            TournamentUnavailable: no response after all attempts.
            DeadlinePassed: the time for the whole run is over.
        """
        return self.refusal_retry.call(
            lambda: self.query(query, **variables), self.policy.deadline, STEP
        )

    def mutate(self, mutation: str, **variables: Any) -> Any:
        """As `query`, with a single attempt: a mutation is never repeated blindly.

        Raises:
            RequestRefused: the API responded with errors.
            FetchInterrupted: there was no response; the mutation may have taken effect.
            TournamentUnavailable: the response is not one of the API.
        """
        try:
            return self._send(mutation, variables)
        except FetchInterrupted:
            raise
        except FetchFailed as error:
            raise TournamentUnavailable(error.message, error.remedy) from error

    def _send(self, query: str, variables: Mapping[str, Any]) -> Any:
        # An encoded body could unpack to any size.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self.keys:
            headers["Authorization"] = self.keys.header
        with new_session() as session:
            session.auth = None
            session.trust_env = True
            try:
                with session.post(
                    self.url,
                    json={"query": query, "variables": dict(variables)},
                    headers=headers,
                    timeout=self.policy.request_timeouts(STEP),
                    allow_redirects=False,
                    auth=_keep_authorization,
                    stream=True,
                ) as response:
                    body = self._read(response)
            except TRANSFER_ERRORS as error:
                self.policy.deadline.check(STEP)
                described = describe_network_error(error)
                if self.is_local and is_refused_connection(error):
                    raise _NothingListens(
                        f"expected {self._name}, found that nothing listens there",
                        described.remedy,
                    ) from None
                raise described.fetching(self._name) from None
            document = _decode_json(body)
            return self._parse(response, document)

    def _read(self, response: Any) -> bytes:
        """The body, of a bounded size and within a bounded time.

        Raises:
            FetchFailed: it is too large or encoded; `FetchInterrupted` if it is too slow.
        """
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise FetchFailed(f"expected plain JSON from {self._name}, found it encoded", _REMEDY)
        until = time.monotonic() + min(_MOST_SECONDS, self.policy.deadline.remaining())
        body = read_whole(response, _MOST_BYTES + 1, until)
        if len(body) > _MOST_BYTES:
            raise FetchFailed(
                f"expected at most {format_size(_MOST_BYTES)} from {self._name}, found more",
                _REMEDY,
            )
        return body

    def _parse(self, response: Any, document: Any) -> Any:
        """The first field of the response's data, or the error that the response means."""
        if isinstance(document, dict) and document.get("errors") is not None:
            raise RequestRefused(_error_message(document["errors"]))
        if response.status_code != 200:
            raise error_response_of(response, _REMEDY).server_error().fetching(self._name)
        if not isinstance(document, dict):
            raise FetchFailed(
                f"expected JSON from {self._name}, found something else",
                "check NUMERAI_API_URL: a server of another kind responds there",
            )
        data = document.get("data")
        if not isinstance(data, dict) or not data:
            raise FetchInterrupted(
                f"expected data from {self._name}, found a response without any", _REMEDY
            )
        return next(iter(data.values()))

    @property
    def _name(self) -> str:
        return f"the tournament's API at {redact(self.url)}"


def _keep_authorization(request: Any) -> Any:
    """Keep the header: requests would replace it with a password from ~/.netrc."""
    return request


def _decode_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: it is nested too deeply
        return None


def _error_message(errors: Any) -> str:
    """The messages of GraphQL errors; the tournament's server also has a second form."""
    if isinstance(errors, dict):
        return str(errors.get("detail") or errors)
    if not isinstance(errors, list):
        return str(errors)
    return "; ".join(
        str(error.get("message", error)) if isinstance(error, dict) else str(error)
        for error in errors
    )
