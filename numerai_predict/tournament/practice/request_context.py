"""Who asks, and what they may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import GraphQLError, GraphQLResolveInfo

from numerai_predict.tournament.practice.errors import RequestRejected
from numerai_predict.tournament.practice.service import PracticeService
from numerai_predict.tournament.practice.store import Caller

# What the tournament says for a wrong key, a missing scope and a stranger's model alike.
INVALID_SESSION = "Your session is invalid or expired."


@dataclass(frozen=True)
class RequestContext:
    """What every resolver gets: the tournament, and who asks."""

    practice: PracticeService
    caller: Caller | None


Info: TypeAlias = "GraphQLResolveInfo[RequestContext]"


def require_caller(info: Info, scope: str | None = None) -> tuple[PracticeService, Caller]:
    """The tournament and the caller, who must have a key, and the scope where one is needed."""
    asked: RequestContext = info.context
    caller = asked.caller
    if caller is None or (scope is not None and scope not in caller.scopes):
        raise GraphQLError(INVALID_SESSION)
    return asked.practice, caller


def require_own_model(
    practice: PracticeService, caller: Caller, identity: str | None
) -> dict[str, Any]:
    """The caller's model; where it has a single one, that needs no id."""
    models = practice.store.rows("SELECT * FROM models WHERE account = ?", caller.account)
    found = [each for each in models if each["id"] == identity]
    if identity is None and len(models) == 1:
        found = models
    if not found:
        raise GraphQLError(INVALID_SESSION)
    return found[0]


def as_graphql_error(work: Callable[[], Any]) -> Any:
    """What the work returns; what it rejects is told as the API tells it."""
    try:
        return work()
    except RequestRejected as rejected:
        raise GraphQLError(str(rejected)) from rejected
