"""What is behind "Your session is invalid or expired", which the tournament says for everything."""

from __future__ import annotations

from dataclasses import replace

from numerai_predict.contract.tournament_errors import NotAuthorised, TournamentUnavailable
from numerai_predict.data.catalogue import TOURNAMENT
from numerai_predict.storage.graphql import Api, RequestRefused
from numerai_predict.tournament import queries

SCOPES = ("read_user_info", "read_submission_info", "upload_submission")


def is_about_session(words: str) -> bool:
    """Whether the tournament's words are about who asks."""
    return "session is invalid" in words.lower()


def diagnose_auth_error(
    api: Api, refused: RequestRefused, scope: str | None, model_id: str | None
) -> NotAuthorised | None:
    """Which of key, scope and model id is wrong; `None` where none of them is.

    Raises:
        TournamentUnavailable, DeadlinePassed: it cannot be found out.
    """
    said = f"the tournament says: {refused.words}"
    try:
        token = api.ask(queries.TOKEN)
    except RequestRefused:
        return _unless_passing(api, said)
    scopes = set((token or {}).get("scopes") or ())
    if scope and scope not in scopes:
        return NotAuthorised(
            f"expected a key with the scope {scope}, found one with "
            f"{', '.join(sorted(scopes)) or 'none'}; {said}",
            f"make a key with the scopes {', '.join(SCOPES)} on numer.ai",
        )
    if model_id is not None and model_id not in _models(api):
        return NotAuthorised(
            f"expected the id of one of the account's models, found {model_id}; {said}",
            "use the name of a model: `numerai-predict status` lists them",
        )
    return None


def _unless_passing(api: Api, said: str) -> NotAuthorised | None:
    """A key that is refused once more is wrong, unless what needs no key is refused as well."""
    try:
        replace(api, keys=None).ask(queries.CURRENT_ROUND, tournament=TOURNAMENT)
    except RequestRefused as public:
        if is_about_session(public.words):
            return None
    try:
        api.ask(queries.TOKEN)
    except RequestRefused as again:
        if not is_about_session(again.words):
            return None
        return NotAuthorised(
            f"expected keys that the tournament knows, found that it does not; {said}",
            "check NUMERAI_PUBLIC_ID and NUMERAI_SECRET_KEY: both parts, of the same key, of an "
            "account of the tournament at NUMERAI_API_URL, and not deleted on numer.ai",
        )
    return None


def _models(api: Api) -> set[str]:
    try:
        return {model["id"] for model in api.ask_again(queries.MODELS)["models"]}
    except (RequestRefused, TypeError, KeyError) as error:
        raise TournamentUnavailable(
            f"expected the account's models, found: {error}", "try again later"
        ) from error
