"""What a model tried that it may not, in the message of the failure that followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from numerai_predict.contract.errors import (
    InvalidPredictions,
    ModelCrashed,
    ModelError,
    ModelTimeout,
    RunError,
)

_FOLLOWS = (ModelError, ModelCrashed, ModelTimeout, InvalidPredictions)


@contextmanager
def network_attempt_context() -> Iterator[list[str]]:
    """A list for hosts that the model tries to reach; an error that may come of it names them."""
    hosts: list[str] = []
    try:
        yield hosts
    except _FOLLOWS as error:
        if not hosts:
            raise
        raise _named(error, hosts) from error


def _named(error: RunError, hosts: Sequence[str]) -> RunError:
    title, *details = error.message.splitlines()
    title += f"; the model tried to open a network connection to {', '.join(hosts)}: "
    title += "models run without network"
    return type(error)(
        "\n".join([title, *details]),
        "put what it fetches into the pickle when it is made; a model gets the live data alone",
    )
