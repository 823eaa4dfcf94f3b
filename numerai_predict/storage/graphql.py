"""Questions to the tournament's API: GraphQL over one POST each.

numerapi is not used for them: its calls have no time limit, it tries again after
answers of 500 and above alone, and a failed call looks like `KeyError: 'data'`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.contract.redaction import printable, redact, redact_text
from numerai_predict.contract.tournament_errors import TournamentUnavailable
from numerai_predict.storage.http import (
    TRANSFER_ERRORS,
    describe_network_error,
    new_session,
    refusal_of,
)
from numerai_predict.storage.retry import TransferPolicy

API_URL = "https://api-tournament.numer.ai"

STEP = "ask"

_MOST_CHARACTERS = 500
_TRIES = 4
_PAUSE_SECONDS = 0.5
_REMEDY = "check the network and NUMERAI_API_URL, or try again later"


@dataclass(frozen=True)
class Keys:
    """An account's API key; the representation shows nothing of its secret part."""

    public_id: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of the header `Authorization`."""
        return f"Token {self.public_id}${self.secret_key}"


class RequestRefused(Exception):
    """The API answered with errors in place of data; `words` are its own."""

    def __init__(self, words: str) -> None:
        self.words = printable(redact_text(words))[:_MOST_CHARACTERS]
        super().__init__(self.words)


@dataclass(frozen=True)
class Api:
    """The tournament's API at `url`, for the account of `keys` or, without them, for anybody."""

    url: str
    terms: TransferPolicy
    keys: Keys | None = None

    def ask(self, query: str, **variables: Any) -> Any:
        """The value of the first field of the answer, asked for until an answer comes.

        For queries: a mutation that is repeated may be done twice, see `ask_once`.

        Raises:
            Refused: the API answered with errors.
            TournamentUnavailable: no answer, time and again.
            DeadlinePassed: the time for the whole run is over.
        """
        try:
            return self.terms.repeat(lambda: self._ask(query, variables), STEP)
        except FetchFailed as error:
            raise TournamentUnavailable(error.message, error.remedy) from error

    def ask_again(self, query: str, **variables: Any) -> Any:
        """The same, asked again also where the API answers with errors: they may pass.

        Raises:
            Refused: it answered with errors each time.
            TournamentUnavailable: no answer, time and again.
            DeadlinePassed: the time for the whole run is over.
        """
        for tried in range(1, _TRIES):
            try:
                return self.ask(query, **variables)
            except RequestRefused:
                self.pause(tried)
        return self.ask(query, **variables)

    def pause(self, tried: int) -> None:
        """Wait before another try, longer each time.

        Raises:
            DeadlinePassed: the time for the whole run is over.
        """
        time.sleep(self.terms.deadline.wait(_PAUSE_SECONDS * tried, STEP))

    def ask_once(self, query: str, **variables: Any) -> Any:
        """The same with one try: whether an unanswered one was heard cannot be known.

        Raises:
            Refused: the API answered with errors.
            FetchInterrupted: there was no answer.
            TournamentUnavailable: the answer makes no sense.
        """
        try:
            return self._ask(query, variables)
        except FetchInterrupted:
            raise
        except FetchFailed as error:
            raise TournamentUnavailable(error.message, error.remedy) from error

    def _ask(self, query: str, variables: Mapping[str, Any]) -> Any:
        headers = {"Accept": "application/json"}
        if self.keys:
            headers["Authorization"] = self.keys.header
        with new_session() as session:
            session.auth = None
            session.trust_env = True
            try:
                response = session.post(
                    self.url,
                    json={"query": query, "variables": dict(variables)},
                    headers=headers,
                    timeout=self.terms.timeouts(STEP),
                    allow_redirects=False,
                    auth=_keep,
                )
                body = response.content
            except TRANSFER_ERRORS as error:
                self.terms.deadline.check(STEP)
                raise describe_network_error(error).fetching(self._name) from None
        answer = _json(body)
        if isinstance(answer, dict) and answer.get("errors") is not None:
            raise RequestRefused(_words_of(answer["errors"]))
        if response.status_code != 200:
            raise refusal_of(response, _REMEDY).trouble().fetching(self._name)
        if not isinstance(answer, dict):
            raise FetchFailed(
                f"expected JSON from {self._name}, found something else",
                "check NUMERAI_API_URL: a server of another kind answers there",
            )
        data = answer.get("data")
        if not isinstance(data, dict) or not data:
            raise FetchInterrupted(
                f"expected data from {self._name}, found an answer without any", _REMEDY
            )
        return next(iter(data.values()))

    @property
    def _name(self) -> str:
        return f"the tournament's API at {redact(self.url)}"


def _keep(request: Any) -> Any:
    """Leave the header as it is: no password of ~/.netrc in its place."""
    return request


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _words_of(errors: Any) -> str:
    """The messages of GraphQL errors; the tournament's own server has a second form."""
    if isinstance(errors, dict):
        return str(errors.get("detail") or errors)
    if not isinstance(errors, list):
        return str(errors)
    return "; ".join(
        str(error.get("message", error)) if isinstance(error, dict) else str(error)
        for error in errors
    )
