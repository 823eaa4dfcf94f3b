"""Authentication and authorization of requests to the practice server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import GraphQLError, GraphQLResolveInfo

from numerai_predict.tournament.practice.errors import RequestRejected
from numerai_predict.tournament.practice.service import PracticeService
from numerai_predict.tournament.practice.store import Caller

# The tournament's message for a wrong key, a missing scope and another account's model alike.
INVALID_SESSION = "Your session is invalid or expired."


@dataclass(frozen=True)
class RequestContext:
    """The context of every resolver; `caller` is `None` without a valid key."""

    practice: PracticeService
    caller: Caller | None


Info: TypeAlias = "GraphQLResolveInfo[RequestContext]"


def require_caller(info: Info, scope: str | None = None) -> tuple[PracticeService, Caller]:
    """The practice service and the caller, who must have a valid key, with the `scope` if given."""
    context: RequestContext = info.context
    caller = context.caller
    if caller is None or (scope is not None and scope not in caller.scopes):
        raise GraphQLError(INVALID_SESSION)
    return context.practice, caller


def require_own_model(
    practice: PracticeService, caller: Caller, identity: str | None
) -> dict[str, Any]:
    """The caller's model of that id; the id may be omitted if there is a single model."""
    models = practice.store.rows("SELECT * FROM models WHERE account = ?", caller.account)
    found = [each for each in models if each["id"] == identity]
    if identity is None and len(models) == 1:
        found = models
    if not found:
        raise GraphQLError(INVALID_SESSION)
    return found[0]


def as_graphql_error(work: Callable[[], Any]) -> Any:
    """What the work returns; a rejection becomes an error of the API."""
    try:
        return work()
    except RequestRejected as rejected:
        raise GraphQLError(str(rejected)) from rejected
