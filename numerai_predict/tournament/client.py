"""The tournament as an account sees it: rounds, models, submissions, hosted models.

Its queries are those of numerapi, and of the tournament's own examples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.contract.tournament_errors import (
    NotAuthorised,
    RoundClosed,
    TournamentUnavailable,
    UnknownModel,
)
from numerai_predict.data.catalogue import TOURNAMENT
from numerai_predict.storage.graphql import Api, RequestRefused
from numerai_predict.tournament import queries
from numerai_predict.tournament.auth_diagnosis import diagnose_auth_error, is_about_session
from numerai_predict.tournament.entities import (
    AccountModel,
    RoundInfo,
    Submission,
    moment_of,
    round_from_answer,
)

_T = TypeVar("_T")

_TRIES = 4


@dataclass(frozen=True)
class Tournament:
    """The tournament by its API."""

    api: Api

    def current_round(self) -> RoundInfo:
        """The round that opened last.

        Raises:
            RoundClosed: the tournament says that there is none.
        """
        try:
            found = self.query(queries.CURRENT_ROUND, tournament=TOURNAMENT)
        except TournamentUnavailable as error:
            if isinstance(error.__cause__, RequestRefused) and "not open" in error.__cause__.words:
                raise RoundClosed(
                    f"expected a round, found that the tournament says: {error.__cause__}",
                    "wait for the next opening: Tuesday to Saturday, 12:00 UTC",
                ) from error
            raise
        if not found or found[0] is None:
            raise RoundClosed("expected a round, found none", "wait for the next opening")
        return round_from_answer(found[0])

    def current_round_again(self, known: RoundInfo) -> RoundInfo:
        """The current round, which must still be the known one.

        Raises:
            RoundClosed: another one is current by now.
        """
        found = self.current_round()
        if found.number != known.number:
            raise RoundClosed(
                f"expected round {known.number}, found that {found.number} has begun meanwhile",
                "run it again: it makes predictions for the new round",
            )
        return found

    def rounds(self, limit: int) -> list[RoundInfo]:
        """Rounds, newest first."""
        found = self.query(queries.ROUNDS, tournament=TOURNAMENT, limit=limit)
        return [round_from_answer(each) for each in found if each]

    def models(self) -> list[AccountModel]:
        """The account's models, by name."""
        found = self.query(queries.MODELS, scope="read_user_info")["models"]
        models = [
            AccountModel(each["id"], each["name"])
            for each in found
            if each["tournament"] == TOURNAMENT
        ]
        return sorted(models, key=lambda model: model.name)

    def model(self, name: str) -> AccountModel:
        """The account's model of that name.

        Raises:
            UnknownModel: there is none; the message lists those that there are.
        """
        models = self.models()
        for model in models:
            if model.name == name:
                return model
        raise UnknownModel(
            f"expected a model of the account, found {name!r}; "
            f"it has {', '.join(model.name for model in models) or 'none'}",
            "name one of them, or make the model on numer.ai first",
        )

    def submissions(self, model: AccountModel) -> list[Submission]:
        """The model's submissions, newest first."""
        found = self.query(
            queries.SUBMISSIONS, scope="read_user_info", model_id=model.id, modelId=model.id
        )
        submissions = [
            Submission(
                each["id"],
                each["filename"],
                bool(each["selected"]),
                moment_of(each["insertedAt"]),
                int(each["round"]["number"]),
            )
            for each in found["submissions"]
            if each["round"]["tournament"] == TOURNAMENT
        ]
        return sorted(submissions, key=lambda each: each.inserted, reverse=True)

    def submission_url(self, submission: Submission, model: AccountModel) -> str:
        """Where the submission's bytes lie; the query is a secret."""
        found = self.query(
            queries.DOWNLOAD, scope="read_submission_info", model_id=model.id, id=submission.id
        )
        return str(found["url"])

    def ticket(self, path: Path, model: AccountModel) -> tuple[str, str]:
        """The name to submit a file under, and the URL to upload it to, which is a secret."""
        return self._ticket(queries.UPLOAD, path, model, tournament=TOURNAMENT)

    def pickle_ticket(self, path: Path, model: AccountModel) -> tuple[str, str]:
        """The same for a pickle."""
        return self._ticket(queries.PICKLE_UPLOAD, path, model)

    def _ticket(self, query: str, path: Path, model: AccountModel, **more: Any) -> tuple[str, str]:
        found = self.query(
            query,
            scope="upload_submission",
            model_id=model.id,
            filename=path.name,
            modelId=model.id,
            **more,
        )
        return str(found["filename"]), str(found["url"])

    def create(
        self, mutation: str, model: AccountModel, find: Callable[[], _T | None], **variables: Any
    ) -> _T | None:
        """Do a mutation once: what `find` finds of it afterwards.

        Where no answer comes, nobody knows whether it was done: it is looked for before it
        is tried again, with the same name of the uploaded file. `None` where an answer came
        and nothing is found yet.

        Raises:
            Refused: the tournament refuses.
            NotAuthorised: it refuses the keys; see `sessions.explain`.
            TournamentUnavailable: there is no answer.
            DeadlinePassed: the time is over.
        """
        for tried in range(1, _TRIES + 1):
            try:
                self.api.ask_once(mutation, tournament=TOURNAMENT, modelId=model.id, **variables)
                return find()
            except RequestRefused as refused:
                if found := find():
                    return found
                if not is_about_session(refused.words):
                    raise
                if error := diagnose_auth_error(self.api, refused, "upload_submission", model.id):
                    raise error from refused
                last: Exception = refused
            except FetchInterrupted as error:
                last = error
                if found := find():
                    return found
            if tried < _TRIES:
                self.api.terms.say(f"no answer to try {tried}: nothing arrived, trying again")
                self.api.pause(tried)
        raise TournamentUnavailable(
            f"expected the tournament to answer, found after {_TRIES} tries: {last}",
            "run the same command again: what arrived is found, and not sent twice",
        ) from last

    def query(
        self, query: str, scope: str | None = None, model_id: str | None = None, **variables: Any
    ) -> Any:
        """The answer to a query, which harms nobody when it is repeated.

        A query with a `scope`, of which "" is any, goes with the keys, others without.

        Raises:
            NotAuthorised: the keys, their scope or the model are wrong, which the message tells.
            TournamentUnavailable: there is no answer, or none but errors.
            DeadlinePassed: the time is over.
        """
        refused: RequestRefused | None = None
        api = replace(self.api, keys=None) if scope is None else self.api
        for tried in range(1, _TRIES + 1):
            try:
                return api.ask(query, **variables)
            except RequestRefused as error:
                refused = error
                explained = (
                    diagnose_auth_error(self.api, error, scope, model_id)
                    if scope is not None and is_about_session(error.words)
                    else None
                )
                if explained:
                    raise explained from error
            if tried < _TRIES:
                self.api.pause(tried)
        raise _refusal(refused) from refused


def _refusal(refused: RequestRefused | None) -> TournamentUnavailable | NotAuthorised:
    words = refused.words if refused else "nothing"
    if is_about_session(words):
        return NotAuthorised(
            f"expected an answer, found that the tournament says: {words}; the key is known, its "
            "scopes and the model's id are right",
            "the tournament's sessions have trouble: try again later",
        )
    return TournamentUnavailable(
        f"expected an answer, found that the tournament says: {words}", "try again later"
    )


def download_bytes(url: str, target: Path, source: str, terms: Any) -> Path:
    """Fetch what lies at a presigned URL.

    Raises:
        TournamentUnavailable: it cannot be had.
    """
    from numerai_predict.storage.download import download
    from numerai_predict.storage.http import http_opener

    try:
        download(http_opener(lambda: url, source, terms), target, source, terms)
    except FetchFailed as error:
        raise TournamentUnavailable(error.message, error.remedy) from error
    return target
