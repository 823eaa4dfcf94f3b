"""Adds the network hosts a model tried to reach to the error that followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from numerai_predict.contract.errors import (
    InvalidPredictions,
    ModelCrashed,
    ModelError,
    ModelTimeout,
    RunError,
)

# What a denied connection can lead to; other errors have other causes.
_CONSEQUENCES = (ModelError, ModelCrashed, ModelTimeout, InvalidPredictions)


@contextmanager
def attempted_hosts_in_errors(hosts: Callable[[], Sequence[str]]) -> Iterator[None]:
    """Add the hosts to an error of the block that a denied connection can have caused."""
    try:
        yield
    except _CONSEQUENCES as error:
        attempted = hosts()
        if not attempted:
            raise
        raise _with_hosts(error, attempted) from error


def _with_hosts(error: RunError, hosts: Sequence[str]) -> RunError:
    title, *details = error.message.split("\n")
    title += f"; the model tried to open a network connection to {', '.join(hosts)}: "
    title += "models run without network"
    return type(error)(
        "\n".join([title, *details]),
        "put what it fetches into the pickle when you make it; a model gets only the live data",
    )
