"""The terms of a transfer: until when, how often it is tried, and who hears of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TextIO, TypeVar

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import FetchInterrupted, UploadInterrupted
from numerai_predict.storage.bounds import bounded

if TYPE_CHECKING:
    from tenacity import RetryCallState

_T = TypeVar("_T")

_SHORTEST_SECONDS = 0.05  # a time limit of zero would mean something else

Interrupted = (FetchInterrupted, UploadInterrupted)


def _say_nothing(_words: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Patience:
    """How long a transfer waits for what; all in seconds but `tries` and `slowest`.

    `connect` and `read` bound the silence of a server. A transfer that brings
    fewer than `slowest` bytes a second for that long is broken off: one byte a second
    is no transfer. Between two tries it waits at random up to `first`, doubled with each
    try up to `longest` ("full jitter"): whoever failed together does not return
    together. Where no deadline does, `tries` bounds them, and `pause` what a server
    may ask for.
    """

    connect: float = 10.0
    read: float = 30.0
    slowest: int = 2048
    tries: int = 7
    first: float = 0.5
    longest: float = 10.0
    pause: float = 120.0


@dataclass(frozen=True)
class Terms:
    """What all transfers of a run have in common.

    `say` gets a line for what took a while; `terminal`, where there is one, a bar.
    """

    deadline: Deadline = field(default_factory=Deadline)
    patience: Patience = field(default_factory=Patience)
    say: Callable[[str], None] = _say_nothing
    terminal: TextIO | None = None

    def timeouts(self, step: str) -> tuple[float, float]:
        """Seconds to connect and seconds between two reads.

        Of what the deadline leaves they take half: a silent server must not use up the
        time for another try.

        Raises:
            DeadlinePassed: nothing is left; the message names `step`.
        """
        self.deadline.check(step)
        half = max(self.deadline.remaining() / 2, _SHORTEST_SECONDS)
        return min(self.patience.connect, half), min(self.patience.read, half)

    def repeat(self, work: Callable[[], _T], step: str) -> _T:
        """Do the work until it is not interrupted, as often as there is time and patience.

        Raises:
            FetchInterrupted, UploadInterrupted: the last try's, with how many there were.
            DeadlinePassed: the deadline came during a try, or before the first.
        """
        return bounded(lambda: self._try(work, step), self.deadline, step)

    def _try(self, work: Callable[[], _T], step: str) -> _T:
        import tenacity  # with asyncio: only where something is transferred

        patience = self.patience
        bound = tenacity.stop_after_attempt(patience.tries)
        jitter = tenacity.wait_random_exponential(patience.first, patience.longest)

        def checked() -> _T:
            self.deadline.check(step)
            return work()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Interrupted),
            wait=lambda state: jitter(state) + _error_of(state).pause,
            stop=bound if math.isinf(self.deadline.at) else tenacity.stop_never,
            before_sleep=self._announce,
            retry_error_callback=_give_up,
        )
        return retrying(checked)

    def _announce(self, state: RetryCallState) -> None:
        """Say what is waited for, or give up where the wait does not fit."""
        seconds = state.next_action.sleep if state.next_action else 0.0
        left = self.deadline.remaining()
        if seconds >= left:
            _give_up(
                state,
                f", and the deadline of {self.deadline.seconds:g} s leaves no time for another",
            )
        if math.isinf(left) and _error_of(state).pause > self.patience.pause:
            _give_up(state, f", and the server asks for {seconds:.0f} s before the next")
        tried = state.attempt_number
        self.say(f"try {tried} failed, the next in {seconds:.1f} s: {_error_of(state)}")


def _error_of(state: RetryCallState) -> FetchInterrupted | UploadInterrupted:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, Interrupted):
        raise TypeError(f"expected an interruption, found {error!r}")
    return error


def _give_up(state: RetryCallState, reason: str = "") -> NoReturn:
    error, tries = _error_of(state), state.attempt_number
    if tries == 1 and not reason:
        raise error
    counted = f"{tries} tries" if tries > 1 else "1 try"
    raise type(error)(f"{error.message}; gave up after {counted}{reason}", error.remedy) from None
