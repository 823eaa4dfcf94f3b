"""SIGTERM as an exception: it unwinds like Ctrl-C, so that processes and files are removed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM was received."""


def raise_at_sigterm() -> None:
    """Raise `Terminated` in this program's first thread once SIGTERM arrives."""
    signal.signal(signal.SIGTERM, _interrupt)


@contextmanager
def raised_at_sigterm() -> Iterator[None]:
    """Raise `Terminated` in the block, which runs in the first thread, once SIGTERM arrives.

    A library such as Ray may put a `KeyboardInterrupt` of its own in its place.
    """
    received = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received = True
        raise Terminated

    with restore_sigterm_handler():
        signal.signal(signal.SIGTERM, interrupt)
        try:
            yield
        except KeyboardInterrupt as raised:
            if received and not isinstance(raised, Terminated):
                raise Terminated from raised
            raise


@contextmanager
def restore_sigterm_handler() -> Iterator[None]:
    """Restore the handler of SIGTERM after a block in which a library replaces it."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
