"""The terms of a transfer: until when, how often it is tried, and who hears of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TextIO, TypeAlias, TypeVar

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed, FetchInterrupted, UploadInterrupted
from numerai_predict.storage.hard_timeout import run_with_hard_timeout

if TYPE_CHECKING:
    from tenacity import RetryCallState

_T = TypeVar("_T")

_SHORTEST_SECONDS = 0.05  # a time limit of zero would mean something else

Interrupted = (FetchInterrupted, UploadInterrupted)
Interruption: TypeAlias = FetchInterrupted | UploadInterrupted


def _say_nothing(_words: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class RetryPolicy:
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
class TransferPolicy:
    """What all transfers of a run have in common.

    `say` gets a line for what took a while; `terminal`, where there is one, a bar.
    """

    deadline: Deadline = field(default_factory=Deadline)
    patience: RetryPolicy = field(default_factory=RetryPolicy)
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
            FetchInterrupted, UploadInterrupted: the last failure, with how many tries
                there were; also where the deadline came during the next.
            DeadlinePassed: the deadline came before the first try had ended.
        """
        tries = _Tries(self, step)
        try:
            return run_with_hard_timeout(lambda: tries.run(work), self.deadline, step)
        except DeadlinePassed:
            tries.tell_what_failed()
            raise


class _Tries:
    """The tries of one transfer; what the last failure was outlives the deadline."""

    def __init__(self, terms: TransferPolicy, step: str) -> None:
        self._terms = terms
        self._step = step
        self._failed = 0
        self._error: Interruption | None = None

    def run(self, work: Callable[[], _T]) -> _T:
        """Try until it succeeds, fails for good or is given up."""
        import tenacity  # with asyncio: only where something is transferred

        patience = self._terms.patience
        bound = tenacity.stop_after_attempt(patience.tries)
        jitter = tenacity.wait_random_exponential(patience.first, patience.longest)
        endless = math.isinf(self._terms.deadline.at)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Interrupted),
            wait=lambda state: jitter(state) + _error_of(state).pause,
            stop=bound if endless else tenacity.stop_never,
            before_sleep=self._wait_or_give_up,
            retry_error_callback=lambda state: _give_up(_error_of(state), state.attempt_number),
        )
        return retrying(lambda: self._checked(work))

    def tell_what_failed(self) -> None:
        """Raise the last failure, where there was one: it says more than that time is up."""
        if self._error is not None:
            seconds = self._terms.deadline.seconds
            reason = f", and the deadline of {seconds:g} s passed during the next"
            _give_up(self._error, self._failed, reason)

    def _checked(self, work: Callable[[], _T]) -> _T:
        self._terms.deadline.check(self._step)
        return work()

    def _wait_or_give_up(self, state: RetryCallState) -> None:
        """Say what is waited for, or give up where the wait does not fit."""
        self._error, self._failed = _error_of(state), state.attempt_number
        seconds = state.next_action.sleep if state.next_action else 0.0
        deadline = self._terms.deadline
        left = deadline.remaining()
        reason = ""
        if seconds >= left:
            reason = f", and the deadline of {deadline.seconds:g} s leaves no time for another"
        elif math.isinf(left) and self._error.pause > self._terms.patience.pause:
            reason = f", and the server asks for {seconds:.0f} s before the next"
        if reason:
            _give_up(self._error, self._failed, reason)
        self._terms.say(f"try {self._failed} failed, the next in {seconds:.1f} s: {self._error}")


def _error_of(state: RetryCallState) -> Interruption:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, Interrupted):
        raise TypeError(f"expected an interruption, found {error!r}")
    return error


def _give_up(error: Interruption, tries: int, reason: str = "") -> NoReturn:
    if tries == 1 and not reason:
        raise error
    counted = f"{tries} tries" if tries > 1 else "1 try"
    raise type(error)(f"{error.message}; gave up after {counted}{reason}", error.remedy) from None
