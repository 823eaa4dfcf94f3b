"""A hard timeout for blocking operations: host lookup, handshake, send, read."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from numerai_predict.contract.deadline import Deadline

_T = TypeVar("_T")

_CLEANUP_SECONDS = 0.3  # of an abandoned thread, before the process goes on to its end
_ABANDONED: weakref.WeakKeyDictionary[threading.Thread, threading.Event] = (
    weakref.WeakKeyDictionary()
)


def run_with_hard_timeout(work: Callable[[], _T], deadline: Deadline, step: str) -> _T:
    """Return what `work` returns, or raise `DeadlinePassed` as soon as the deadline passes.

    The timeouts of a socket apply to one system call each: a slow name server, or headers that
    arrive byte by byte, exceed any sum of them. So the work runs in a thread, which is
    abandoned at the deadline, and when a signal interrupts the wait for it. The work must check
    the deadline before each step with an effect, so that an abandoned thread has none, and
    should call `stop_if_abandoned` between steps, so that it cleans up at once.

    Raises:
        DeadlinePassed: no time is left; the message names `step`.
    """
    deadline.check(step)
    if math.isinf(deadline.at) and threading.current_thread() is not threading.main_thread():
        return work()  # nothing can interrupt this thread
    worker = _Worker(work)
    thread = threading.Thread(target=worker.run, name=f"hard-timeout-{step}", daemon=True)
    _ABANDONED[thread] = worker.abandoned
    thread.start()
    try:
        worker.done.wait(min(deadline.remaining(), threading.TIMEOUT_MAX))
    except BaseException:
        worker.abandoned.set()
        worker.done.wait(_CLEANUP_SECONDS)
        raise
    if not worker.done.is_set():
        worker.abandoned.set()
        deadline.check(step)
    return worker.result()


def stop_if_abandoned() -> None:
    """Raise in a thread that nothing waits for any more: `finally` blocks clean up.

    Raises:
        Abandoned: always there, never elsewhere.
    """
    event = _ABANDONED.get(threading.current_thread())
    if event is not None and event.is_set():
        raise Abandoned


class Abandoned(BaseException):
    """Ends a thread that nothing waits for any more; no handler of errors may go on after it."""


class _Worker(Generic[_T]):
    def __init__(self, work: Callable[[], _T]) -> None:
        self.done = threading.Event()
        self.abandoned = threading.Event()
        self._work = work
        self._returned: list[_T] = []
        self._raised: BaseException | None = None

    def run(self) -> None:
        try:
            self._returned.append(self._work())
        except BaseException as error:
            self._raised = error
        finally:
            self.done.set()

    def result(self) -> _T:
        self.done.wait()
        if self._raised is not None:
            raise self._raised
        return self._returned[0]
