"""Resolvers of queries: data, rounds, accounts, submissions, scores."""

from __future__ import annotations

from typing import Any

from ariadne import QueryType
from graphql import GraphQLError

from numerai_predict.tournament.practice.request_context import (
    INVALID_SESSION,
    Info,
    require_caller,
    require_own_model,
)
from numerai_predict.tournament.practice.schedule import next_round, round_by_number
from numerai_predict.tournament.practice.serializers import (
    round_status,
    serialize_key,
    serialize_model,
    serialize_payouts,
    serialize_performances,
    serialize_round,
    serialize_score,
    serialize_submissions,
    to_nmr,
)
from numerai_predict.tournament.practice.service import PracticeService
from numerai_predict.tournament.practice.store import TOURNAMENT

_MOST_ROUNDS = 100

query = QueryType()


@query.field("listDatasets")
def list_datasets(_: Any, info: Info, **_arguments: Any) -> list[str]:
    """The names of all files."""
    practice: PracticeService = info.context.practice
    return practice.datasets.names()


@query.field("dataset")
def dataset(_: Any, info: Info, filename: str, **arguments: Any) -> str:
    """The presigned URL of a file of a round, by default the current one."""
    practice: PracticeService = info.context.practice
    number = arguments.get("round") or practice.current_round().number
    if (
        filename not in practice.datasets.names()
        or not 0 < number <= practice.current_round().number
    ):
        raise GraphQLError("File not found")
    return practice.sign("data", f"{number}/{filename}")


@query.field("rounds")
def rounds(_: Any, info: Info, **arguments: Any) -> list[dict[str, Any] | None]:
    """Rounds, newest first; the number 0 means the current round."""
    practice: PracticeService = info.context.practice
    if arguments.get("tournament", TOURNAMENT) not in (None, 0, TOURNAMENT):
        return [None]
    number = arguments.get("number")
    if number == 0:
        return [serialize_round(practice, practice.current_round())]
    if number is not None:
        return [serialize_round(practice, round_by_number(number))] if number > 0 else []
    newest = next_round(practice.now()).number
    listed = [round_by_number(n) for n in range(newest, max(0, newest - _MOST_ROUNDS), -1)]
    if status := arguments.get("status"):
        listed = [each for each in listed if round_status(each, practice.now()).value == status]
    return [serialize_round(practice, each) for each in listed[: arguments.get("limit")]]


@query.field("account")
def account(_: Any, info: Info) -> dict[str, Any]:
    """The caller's account."""
    practice, caller = require_caller(info, "read_user_info")
    found = practice.store.row("SELECT * FROM accounts WHERE id = ?", caller.account) or {}
    models = practice.store.models(caller.account)
    keys = practice.store.rows("SELECT * FROM keys WHERE account = ?", caller.account)
    return {
        "id": found["id"],
        "username": found["username"],
        "status": "VERIFIED",
        "insertedAt": found["inserted"],
        "mfaEnabled": False,
        "availableNmr": "0",
        "models": [serialize_model(practice, each) for each in models],
        "apiTokens": [serialize_key(key) for key in keys],
    }


@query.field("apiTokenInfo")
def api_token_info(_: Any, info: Info) -> dict[str, Any]:
    """The caller's key; this needs no scope."""
    practice, caller = require_caller(info)
    key = practice.store.row("SELECT * FROM keys WHERE public_id = ?", caller.public_id)
    return serialize_key(key or {})


@query.field("accountProfile")
def account_profile(_: Any, info: Info, username: str, **_arguments: Any) -> dict[str, Any]:
    """The public profile of an account: its models."""
    practice: PracticeService = info.context.practice
    models = practice.store.rows(
        "SELECT models.* FROM models JOIN accounts ON accounts.id = models.account "
        "WHERE accounts.username = ?",
        username,
    )
    return {"models": [serialize_model(practice, each) for each in models]}


@query.field("v3UserProfile")
def user_profile(_: Any, info: Info, **arguments: Any) -> dict[str, Any] | None:
    """The public profile of a model."""
    practice: PracticeService = info.context.practice
    name = arguments.get("modelName") or arguments.get("model_name")
    found = practice.store.row("SELECT * FROM models WHERE name = ?", name)
    if found is None:
        return None
    account = practice.stake_account(found["id"])
    return {
        "id": found["id"],
        "username": found["name"],
        "nmrStaked": None if account.stake is None else to_nmr(account.stake),
        "stakeValue": None if account.projected is None else to_nmr(account.projected),
    }


@query.field("model")
def model(_: Any, info: Info, modelId: str | None = None) -> dict[str, Any]:  # noqa: N803
    """One of the caller's models."""
    practice, caller = require_caller(info, "read_user_info")
    return serialize_model(practice, require_own_model(practice, caller, modelId))


@query.field("submissions")
def submissions(
    _: Any,
    info: Info,
    modelId: str | None = None,  # noqa: N803
) -> list[dict[str, Any]]:
    """A model's submissions."""
    practice, caller = require_caller(info, "read_submission_info")
    return serialize_submissions(practice, require_own_model(practice, caller, modelId)["id"])


@query.field("submissionDownloadAuth")
def submission_download(
    _: Any,
    info: Info,
    id: str | None = None,  # noqa: A002 - the schema's name
) -> dict[str, str]:
    """The presigned URL of a submission."""
    practice, caller = require_caller(info, "read_submission_info")
    found = practice.store.row(
        "SELECT submissions.* FROM submissions JOIN models ON models.id = submissions.model "
        "WHERE submissions.id = ? AND models.account = ?",
        id,
        caller.account,
    )
    if found is None:
        raise GraphQLError(INVALID_SESSION)
    name = found["filename"]
    return {"filename": name, "url": practice.sign("submission", name)}


@query.field("submissionScores")
def submission_scores(
    _: Any,
    info: Info,
    modelId: str,  # noqa: N803
    **arguments: Any,
) -> list[dict[str, Any]]:
    """The scores of each day, newest first; those of the last day are resolved."""
    practice: PracticeService = info.context.practice
    scores = [serialize_score(practice, each) for each in practice.scores(modelId)]
    for name in ("displayName", "day", "resolved"):
        if arguments.get(name) is not None:
            scores = [each for each in scores if each[name] == arguments[name]]
    if last := arguments.get("lastNRounds"):
        newest = sorted({each["roundNumber"] for each in scores})[-last:]
        scores = [each for each in scores if each["roundNumber"] in newest]
    if arguments.get("distinctOnRound"):
        newest_first = {(each["roundNumber"], each["displayName"]): each for each in scores[::-1]}
        scores = list(newest_first.values())[::-1]
    return scores


@query.field("v2RoundModelPerformances")
def performances(
    _: Any,
    info: Info,
    modelId: str,  # noqa: N803
    **_arguments: Any,
) -> list[dict[str, Any]]:
    """Rounds with a submission, with the newest scores, stake and payout."""
    return serialize_performances(info.context.practice, modelId)


@query.field("pendingModelPayouts")
def model_payouts(_: Any, info: Info, **_arguments: Any) -> dict[str, list[dict[str, Any]]]:
    """Settled and pending payouts of the caller's models."""
    practice, caller = require_caller(info, "read_user_info")
    return serialize_payouts(practice, practice.store.models(caller.account))
