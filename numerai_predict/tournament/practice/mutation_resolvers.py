"""Resolvers of uploads and mutations: submissions, models, pickles."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from ariadne import MutationType, QueryType
from graphql import GraphQLError

from numerai_predict.tournament.practice.pickle_validation import (
    PickleStatus,
    data_versions,
    docker_images,
    start_validation,
)
from numerai_predict.tournament.practice.request_context import (
    Info,
    as_graphql_error,
    require_caller,
    require_own_model,
)
from numerai_predict.tournament.practice.serializers import (
    serialize_model,
    serialize_pickle,
    serialize_submissions,
)
from numerai_predict.tournament.practice.stakes import parse_nmr

query = QueryType()
mutation = MutationType()


@query.field("submissionUploadAuth")
@query.field("submission_upload_auth")
def submission_upload(_: Any, info: Info, filename: str, **arguments: Any) -> dict[str, str]:
    """A ticket to upload a submission."""
    practice, caller = require_caller(info, "upload_submission")
    model_id = require_own_model(practice, caller, arguments.get("modelId"))["id"]
    return practice.ticket("submission", caller.account, model_id, filename)


@mutation.field("createSubmission")
@mutation.field("create_submission")
def create_submission(_: Any, info: Info, filename: str, **arguments: Any) -> dict[str, Any]:
    """Make an uploaded file the submission of the current round."""
    practice, caller = require_caller(info, "upload_submission")
    model_id = require_own_model(practice, caller, arguments.get("modelId"))["id"]
    identity = as_graphql_error(lambda: practice.submit(caller.account, model_id, filename))
    return next(
        each for each in serialize_submissions(practice, model_id) if each["id"] == identity
    )


@mutation.field("addModel")
def add_model(_: Any, info: Info, name: str, **_arguments: Any) -> dict[str, Any]:
    """Add a model to the account."""
    practice, caller = require_caller(info, "upload_submission")
    try:
        identity = practice.store.add_model(caller.account, name)
    except ValueError as error:
        raise GraphQLError(str(error)) from error
    return serialize_model(practice, practice.store.model(identity) or {})


@mutation.field("v2ChangeStake")
def change_stake(_: Any, info: Info, value: str, type: str, **arguments: Any) -> dict[str, Any]:  # noqa: A002 - the schema's name
    """Increase or decrease the stake of a model, at once."""
    practice, caller = require_caller(info, "stake")
    model_id = require_own_model(practice, caller, arguments.get("modelId"))["id"]
    stake = practice.stake_account(model_id).stake or 0.0
    try:
        change = {"increase": 1, "decrease": -1}[type] * parse_nmr(value)
        practice.set_stake(model_id, parse_nmr(stake + change))
    except KeyError as error:
        raise GraphQLError(f"expected increase or decrease, found {type!r}") from error
    except ValueError as error:
        raise GraphQLError(str(error)) from error
    return {"dueDate": None, "requestedAmount": value, "status": "confirmed", "type": type}


@query.field("computePickleDockerImages")
def compute_docker_images(_: Any, info: Info) -> list[dict[str, Any]]:
    """The container images for hosted models."""
    require_caller(info)
    return docker_images()


@query.field("computePickleDataVersions")
def compute_data_versions(_: Any, info: Info) -> list[dict[str, Any]]:
    """The data versions for hosted models."""
    return data_versions(require_caller(info)[0])


@query.field("computePickleUploadAuth")
def pickle_upload(_: Any, info: Info, filename: str, **arguments: Any) -> dict[str, str]:
    """A ticket to upload a pickle."""
    practice, caller = require_caller(info, "upload_submission")
    model_id = require_own_model(practice, caller, arguments.get("modelId"))["id"]
    return practice.ticket("pickle", caller.account, model_id, filename)


@mutation.field("createComputePickleUpload")
def create_pickle(_: Any, info: Info, filename: str, **arguments: Any) -> dict[str, Any]:
    """Make an uploaded pickle the hosted model, and start its validation."""
    practice, caller = require_caller(info, "upload_submission")
    model_id = require_own_model(practice, caller, arguments.get("modelId"))["id"]
    image = _choose(docker_images(), arguments.get("dockerImageId"), "docker image")
    version = _choose(data_versions(practice), arguments.get("dataVersionId"), "data version")
    as_graphql_error(lambda: practice.uploaded("pickle", caller.account, model_id, filename))
    with practice.store.transaction():
        found = practice.store.row("SELECT * FROM pickles WHERE filename = ?", filename)
        if found is None:
            practice.store.insert(
                "pickles",
                id=str(uuid.uuid4()),
                model=model_id,
                account=caller.account,
                filename=filename,
                image=image["name"],
                version=version["name"],
                status=PickleStatus.PENDING.value,
                inserted=practice.to_client_time(practice.now()),
            )
    made = practice.store.row("SELECT * FROM pickles WHERE filename = ?", filename) or {}
    if found is None:
        start_validation(practice, made["id"])
    return serialize_pickle(practice, made)


@query.field("computePickles")
def compute_pickles(_: Any, info: Info, **arguments: Any) -> list[dict[str, Any]]:
    """The uploaded pickles, newest first."""
    practice, caller = require_caller(info, "read_submission_info")
    found = practice.store.rows(
        "SELECT * FROM pickles WHERE account = ? ORDER BY rowid DESC", caller.account
    )
    wanted = arguments.get("modelId")
    return [serialize_pickle(practice, each) for each in found if wanted in (None, each["model"])]


def _choose(listed: Iterable[dict[str, Any]], identity: str | None, kind: str) -> dict[str, Any]:
    """The listed object of that id, or the default one."""
    for each in listed:
        if each["id"] == identity or (identity is None and each["default"]):
            return each
    raise GraphQLError(f"Unknown {kind}")
