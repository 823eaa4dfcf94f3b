"""Retry policies: how often an operation is attempted, with which waits, until when.

`RetryPolicy` repeats any operation. `TransferPolicy` adds what all transfers of a run share:
the deadline, time limits of connections, and the callback that logs retries.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TextIO, TypeAlias, TypeVar

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed, FetchInterrupted, UploadInterrupted
from numerai_predict.storage.hard_timeout import run_with_hard_timeout

if TYPE_CHECKING:
    from tenacity import RetryCallState
    from tenacity.wait import wait_base

_T = TypeVar("_T")

_SHORTEST_TIMEOUT_SECONDS = 0.05  # zero would mean: no time limit

INTERRUPTIONS = (FetchInterrupted, UploadInterrupted)
Interruption: TypeAlias = FetchInterrupted | UploadInterrupted


@dataclass(frozen=True)
class Backoff:
    """Seconds between two attempts: `first`, doubled with each attempt, at most `longest`.

    With `jitter` the wait is drawn at random between zero and that ("full jitter"), so that
    clients which failed together do not return together. Source: AWS Architecture Blog,
    "Exponential Backoff And Jitter" (2015).
    """

    first: float = 0.5
    longest: float = 10.0
    jitter: bool = True

    def tenacity_wait(self) -> wait_base:
        """The same as a wait of tenacity."""
        import tenacity

        if self.jitter:
            return tenacity.wait_random_exponential(self.first, self.longest)
        return tenacity.wait_exponential(self.first, self.longest)


@dataclass(frozen=True)
class RetryPolicy:
    """At most `attempts` attempts of an operation; only errors of `retry_on` are retried.

    `longest_server_wait` bounds, in seconds, the wait that a server may ask for where there
    is no deadline.
    """

    attempts: int = 7
    backoff: Backoff = Backoff()
    retry_on: tuple[type[Exception], ...] = INTERRUPTIONS
    longest_server_wait: float = 120.0

    def call(
        self,
        operation: Callable[[], _T],
        deadline: Deadline,
        step: str,
        on_retry: Callable[[int], None] | None = None,
    ) -> _T:
        """Return what the operation returns, after as many attempts as it needs.

        The operation must be one that may be repeated. `on_retry` gets the number of the
        attempt that failed, before the wait for the next one.

        Raises:
            Exception: the error of the last attempt, unchanged.
            DeadlinePassed: the deadline passed during a wait; the message names `step`.
        """
        import tenacity

        def before_sleep(state: RetryCallState) -> None:
            if on_retry is not None:
                on_retry(state.attempt_number)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(self.retry_on),
            wait=self.backoff.tenacity_wait(),
            stop=tenacity.stop_after_attempt(self.attempts),
            sleep=lambda seconds: time.sleep(deadline.wait(seconds, step)),
            before_sleep=before_sleep,
            reraise=True,
        )
        return retrying(operation)


@dataclass(frozen=True)
class TransferTimeouts:
    """Limits of one connection.

    `connect` and `read` bound, in seconds, the silence of a server. A transfer that brings
    fewer than `slowest` bytes per second for `read` seconds is aborted and attempted again.
    """

    connect: float = 10.0
    read: float = 30.0
    slowest: int = 2048


def _ignore(_line: str) -> None:
    """Drop the line."""


@dataclass(frozen=True)
class TransferPolicy:
    """What all transfers of a run have in common.

    `log` gets a line for each retry and for slow transfers; `terminal`, where there is one,
    shows a progress bar. With a finite deadline the deadline bounds the attempts, otherwise
    `retry.attempts` does.
    """

    deadline: Deadline = field(default_factory=Deadline)
    retry: RetryPolicy = RetryPolicy()
    timeouts: TransferTimeouts = TransferTimeouts()
    log: Callable[[str], None] = _ignore
    terminal: TextIO | None = None

    def request_timeouts(self, step: str) -> tuple[float, float]:
        """Seconds to connect and seconds between two reads, for one request.

        They take at most half of what the deadline leaves: a silent server must not use up
        the time for another attempt.

        Raises:
            DeadlinePassed: no time is left; the message names `step`.
        """
        self.deadline.check(step)
        half = max(self.deadline.remaining() / 2, _SHORTEST_TIMEOUT_SECONDS)
        return min(self.timeouts.connect, half), min(self.timeouts.read, half)

    def repeat(self, transfer: Callable[[], _T], step: str) -> _T:
        """Attempt the transfer until it is not interrupted, within deadline and attempts.

        Raises:
            FetchInterrupted, UploadInterrupted: the last failure, with the number of
                attempts; also where the deadline passed during the next attempt.
            DeadlinePassed: the deadline passed during the first attempt.
        """
        attempts = _TransferAttempts(self, step)
        try:
            return run_with_hard_timeout(lambda: attempts.run(transfer), self.deadline, step)
        except DeadlinePassed:
            attempts.raise_last_failure()
            raise


class _TransferAttempts:
    """The attempts of one transfer; the last failure is kept beyond the deadline."""

    def __init__(self, policy: TransferPolicy, step: str) -> None:
        self._policy = policy
        self._step = step
        self._failed = 0
        self._error: Interruption | None = None

    def run(self, transfer: Callable[[], _T]) -> _T:
        """Attempt it until it succeeds, fails for good or is given up."""
        import tenacity  # it imports asyncio: only where something is transferred

        retry = self._policy.retry
        backoff = retry.backoff.tenacity_wait()
        endless = math.isinf(self._policy.deadline.at)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(retry.retry_on),
            wait=lambda state: backoff(state) + _error_of(state).retry_after,
            stop=tenacity.stop_after_attempt(retry.attempts) if endless else tenacity.stop_never,
            before_sleep=self._wait_or_give_up,
            retry_error_callback=lambda state: _give_up(_error_of(state), state.attempt_number),
        )
        return retrying(lambda: self._attempt(transfer))

    def raise_last_failure(self) -> None:
        """Raise the last failure, if there was one: it says more than `DeadlinePassed`."""
        if self._error is not None:
            seconds = self._policy.deadline.seconds
            reason = f", and the deadline of {seconds:g} s passed during the next"
            _give_up(self._error, self._failed, reason)

    def _attempt(self, transfer: Callable[[], _T]) -> _T:
        self._policy.deadline.check(self._step)
        return transfer()

    def _wait_or_give_up(self, state: RetryCallState) -> None:
        """Log the wait, or give up where the wait exceeds what is left."""
        self._error, self._failed = _error_of(state), state.attempt_number
        seconds = state.next_action.sleep if state.next_action else 0.0
        deadline = self._policy.deadline
        left = deadline.remaining()
        reason = ""
        if seconds >= left:
            reason = f", and the deadline of {deadline.seconds:g} s leaves no time for another"
        elif math.isinf(left) and self._error.retry_after > self._policy.retry.longest_server_wait:
            reason = f", and the server asks for {seconds:.0f} s before the next"
        if reason:
            _give_up(self._error, self._failed, reason)
        self._policy.log(
            f"attempt {self._failed} failed, the next in {seconds:.1f} s: {self._error}"
        )


def _error_of(state: RetryCallState) -> Interruption:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, INTERRUPTIONS):
        raise TypeError(f"expected an interruption, found {error!r}")
    return error


def _give_up(error: Interruption, attempts: int, reason: str = "") -> NoReturn:
    if attempts == 1 and not reason:
        raise error
    counted = f"{attempts} attempts" if attempts > 1 else "1 attempt"
    raise type(error)(f"{error.message}; gave up after {counted}{reason}", error.remedy) from None
