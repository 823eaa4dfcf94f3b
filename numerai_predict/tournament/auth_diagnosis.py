"""Diagnosis of "Your session is invalid or expired", the API's text for every failed check.

The API has this one text for a wrong key, a missing scope and another account's model.
"""

from __future__ import annotations

from dataclasses import replace

from numerai_predict.contract.tournament_errors import NotAuthorised, TournamentUnavailable
from numerai_predict.data.catalogue import TOURNAMENT
from numerai_predict.storage.graphql import Api, RefusalReason, RequestRefused
from numerai_predict.tournament import queries

SCOPES = ("read_user_info", "read_submission_info", "upload_submission")


def diagnose_auth_error(
    api: Api, refused: RequestRefused, scope: str | None, model_id: str | None
) -> NotAuthorised | None:
    """Find out which of key, scope and model id is wrong; `None` if none of them is.

    Raises:
        TournamentUnavailable, DeadlinePassed: the API does not respond.
    """
    api_message = f"the tournament's message: {refused.message}"
    try:
        token = api.query(queries.TOKEN)
    except RequestRefused:
        return _diagnose_key(api, api_message)
    scopes = set((token or {}).get("scopes") or ())
    if scope and scope not in scopes:
        return NotAuthorised(
            f"expected a key with the scope {scope}, found one with "
            f"{', '.join(sorted(scopes)) or 'none'}; {api_message}",
            f"make a key with the scopes {', '.join(SCOPES)} on numer.ai",
        )
    if model_id is not None and model_id not in _model_ids(api):
        return NotAuthorised(
            f"expected the id of one of the account's models, found {model_id}; {api_message}",
            "use the name of a model: `numerai-predict status` lists them",
        )
    return None


def _diagnose_key(api: Api, api_message: str) -> NotAuthorised | None:
    """The key is wrong if it is refused twice while a public query is accepted."""
    try:
        replace(api, keys=None).query(queries.CURRENT_ROUND, tournament=TOURNAMENT)
    except RequestRefused as public:
        if public.reason is RefusalReason.INVALID_SESSION:
            return None
    try:
        api.query(queries.TOKEN)
    except RequestRefused as again:
        if again.reason is not RefusalReason.INVALID_SESSION:
            return None
        return NotAuthorised(
            f"expected a valid API key, found one that the tournament does not know; {api_message}",
            "check that NUMERAI_PUBLIC_ID and NUMERAI_SECRET_KEY are complete and of the same key, "
            "and that an account of the tournament at NUMERAI_API_URL has this key",
        )
    return None


def _model_ids(api: Api) -> set[str]:
    try:
        return {model["id"] for model in api.query_with_retry(queries.MODELS)["models"]}
    except (RequestRefused, TypeError, KeyError) as error:
        raise TournamentUnavailable(
            f"expected the account's models, found: {error}", "try again later"
        ) from error
