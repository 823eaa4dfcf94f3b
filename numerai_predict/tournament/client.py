"""The tournament as an account sees it: rounds, models, submissions, hosted models.

The queries are those of numerapi and of the tournament's own examples.
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
from numerai_predict.storage.graphql import STEP, Api, RefusalReason, RequestRefused
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.tournament import queries
from numerai_predict.tournament.auth_diagnosis import diagnose_auth_error
from numerai_predict.tournament.entities import (
    AccountModel,
    Payout,
    RoundInfo,
    Submission,
    UploadTicket,
    parse_payouts,
    parse_round,
    parse_submission,
)

_T = TypeVar("_T")


class _MutationNotApplied(Exception):
    """A mutation that had no effect, as a query showed: it may be attempted again."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause
        super().__init__(str(cause))


@dataclass(frozen=True)
class Tournament:
    """The tournament's API for one account."""

    api: Api

    @property
    def wait_for_opening(self) -> str:
        """What to do when no round is open."""
        if self.api.is_local:
            return "open one on the practice server with `numerai-predict practice clock --open`"
        return "wait for the next opening: Tuesday to Saturday, 12:00 UTC"

    def current_round(self) -> RoundInfo:
        """The round that opened last.

        Raises:
            RoundClosed: the tournament has no current round.
        """
        try:
            rounds = self.query(queries.CURRENT_ROUND, tournament=TOURNAMENT)
        except TournamentUnavailable as error:
            refused = error.__cause__
            if (
                isinstance(refused, RequestRefused)
                and refused.reason is RefusalReason.NO_OPEN_ROUND
            ):
                raise RoundClosed(
                    f"expected a round, found that the tournament responds: {refused}",
                    self.wait_for_opening,
                ) from error
            raise
        if not rounds or rounds[0] is None:
            raise RoundClosed("expected a round, found none", self.wait_for_opening)
        return parse_round(rounds[0])

    def require_current_round(self, known: RoundInfo) -> RoundInfo:
        """The current round, which must still be the known one.

        Raises:
            RoundClosed: another round is current by now.
        """
        current = self.current_round()
        if current.number != known.number:
            raise RoundClosed(
                f"expected round {known.number}, found that {current.number} has begun meanwhile",
                "run it again: it makes predictions for the new round",
            )
        return current

    def rounds(self, limit: int) -> list[RoundInfo]:
        """Rounds, newest first."""
        rounds = self.query(queries.ROUNDS, tournament=TOURNAMENT, limit=limit)
        return [parse_round(each) for each in rounds if each]

    def models(self) -> list[AccountModel]:
        """The account's models, sorted by name."""
        models = [
            AccountModel(each["id"], each["name"])
            for each in self.query(queries.MODELS, scope="read_user_info")["models"]
            if each["tournament"] == TOURNAMENT
        ]
        return sorted(models, key=lambda model: model.name)

    def model(self, name: str) -> AccountModel:
        """The account's model of that name.

        Raises:
            UnknownModel: there is none; the message lists the existing ones.
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
        response = self.query(
            queries.SUBMISSIONS, scope="read_user_info", model_id=model.id, modelId=model.id
        )
        submissions = [
            parse_submission(each)
            for each in response["submissions"]
            if each["round"]["tournament"] == TOURNAMENT
        ]
        return sorted(submissions, key=lambda each: each.inserted, reverse=True)

    def stake(self, model: AccountModel) -> float | None:
        """The model's stake in NMR; `None` if it has none."""
        profile = self.query(queries.STAKE, model_name=model.name, tournament=TOURNAMENT)
        staked = (profile or {}).get("nmrStaked")
        return float(staked) if staked is not None else None

    def payouts(self) -> list[Payout]:
        """The payouts of the account's models, settled and pending."""
        return parse_payouts(
            self.query(queries.PAYOUTS, scope="read_user_info", tournament=TOURNAMENT)
        )

    def submission_url(self, submission: Submission, model: AccountModel) -> str:
        """The presigned URL of the submission's bytes; its query is a secret."""
        response = self.query(
            queries.DOWNLOAD, scope="read_submission_info", model_id=model.id, id=submission.id
        )
        return str(response["url"])

    def request_upload(self, path: Path, model: AccountModel) -> UploadTicket:
        """A ticket to upload a file of predictions."""
        return self._request_ticket(queries.UPLOAD, path, model, tournament=TOURNAMENT)

    def request_pickle_upload(self, path: Path, model: AccountModel) -> UploadTicket:
        """A ticket to upload a pickle."""
        return self._request_ticket(queries.PICKLE_UPLOAD, path, model)

    def _request_ticket(
        self, query: str, path: Path, model: AccountModel, **variables: Any
    ) -> UploadTicket:
        response = self.query(
            query,
            scope="upload_submission",
            model_id=model.id,
            filename=path.name,
            modelId=model.id,
            **variables,
        )
        return UploadTicket(str(response["filename"]), str(response["url"]))

    def create(
        self, mutation: str, model: AccountModel, find: Callable[[], _T | None], **variables: Any
    ) -> _T | None:
        """Apply a mutation once; returns what `find` finds of its effect.

        Without a response it is unknown whether the mutation took effect: `find` looks
        before it is attempted again, with the same name of the uploaded file. `None` if
        there was a response and nothing is found yet.

        Raises:
            RequestRefused: the tournament refuses it.
            NotAuthorised: the tournament refuses the keys; see `diagnose_auth_error`.
            TournamentUnavailable: there is no response.
            DeadlinePassed: the time for the whole run is over.
        """
        policy = replace(self.api.refusal_retry, retry_on=(_MutationNotApplied,))
        try:
            return policy.call(
                lambda: self._mutate(mutation, model, find, variables),
                self.api.policy.deadline,
                STEP,
                on_retry=lambda attempt: self.api.policy.log(
                    f"no response to attempt {attempt}: nothing arrived, trying again"
                ),
            )
        except _MutationNotApplied as error:
            raise TournamentUnavailable(
                f"expected the tournament to respond, found after {policy.attempts} attempts: "
                f"{error.cause}",
                "run the same command again: completed steps are detected and not repeated",
            ) from error.cause

    def _mutate(
        self,
        mutation: str,
        model: AccountModel,
        find: Callable[[], _T | None],
        variables: dict[str, Any],
    ) -> _T | None:
        try:
            self.api.mutate(mutation, tournament=TOURNAMENT, modelId=model.id, **variables)
        except RequestRefused as refused:
            if found := find():
                return found
            if refused.reason is not RefusalReason.INVALID_SESSION:
                raise
            if error := diagnose_auth_error(self.api, refused, "upload_submission", model.id):
                raise error from refused
            raise _MutationNotApplied(refused) from refused
        except FetchInterrupted as interrupted:
            if found := find():
                return found
            raise _MutationNotApplied(interrupted) from interrupted
        return find()

    def query(
        self, query: str, scope: str | None = None, model_id: str | None = None, **variables: Any
    ) -> Any:
        """The response to a query; a query may be repeated.

        A query with a `scope` (an empty one for any) is sent with the keys, others without.

        Raises:
            NotAuthorised: the keys, their scope or the model are wrong; the message says which.
            TournamentUnavailable: the tournament API does not respond, or only with errors.
            DeadlinePassed: the time for the whole run is over.
        """
        api = replace(self.api, keys=None) if scope is None else self.api

        def attempt() -> Any:
            try:
                return api.query(query, **variables)
            except RequestRefused as refused:
                if scope is not None and refused.reason is RefusalReason.INVALID_SESSION:
                    error = diagnose_auth_error(self.api, refused, scope, model_id)
                    if error is not None:
                        raise error from refused
                raise

        try:
            return self.api.refusal_retry.call(attempt, self.api.policy.deadline, STEP)
        except RequestRefused as refused:
            raise _final_error(refused) from refused


def _final_error(refused: RequestRefused) -> TournamentUnavailable | NotAuthorised:
    if refused.reason is RefusalReason.INVALID_SESSION:
        return NotAuthorised(
            f"expected data, found that the tournament responds: {refused.message}; the key is "
            "known, its scopes and the model's id are right",
            "the tournament's session service has a problem: try again later",
        )
    return TournamentUnavailable(
        f"expected data, found that the tournament responds: {refused.message}", "try again later"
    )


def download_presigned(url: str, target: Path, source: str, policy: TransferPolicy) -> Path:
    """Download a presigned URL to `target`; `source` is how messages call it.

    Raises:
        TournamentUnavailable: it cannot be downloaded.
    """
    from numerai_predict.storage.transfer.download import download
    from numerai_predict.storage.transfer.http import http_opener

    try:
        download(http_opener(lambda: url, source, policy), target, source, policy)
    except FetchFailed as error:
        raise TournamentUnavailable(error.message, error.remedy) from error
    return target
