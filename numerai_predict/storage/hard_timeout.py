"""A hard timeout for blocking operations: host lookup, handshake, send, read."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from numerai_predict.contract.deadline import Deadline

_T = TypeVar("_T")


def run_with_hard_timeout(work: Callable[[], _T], deadline: Deadline, step: str) -> _T:
    """Return what `work` returns, or raise `DeadlinePassed` as soon as the deadline passes.

    The timeouts of a socket apply to one system call each: a slow name server, or headers that
    arrive byte by byte, exceed any sum of them. So the work runs in a thread, which is
    abandoned at the deadline. The work must check the deadline before each step with an
    effect, so that an abandoned thread has none.

    Raises:
        DeadlinePassed: no time is left; the message names `step`.
    """
    deadline.check(step)
    if math.isinf(deadline.at):
        return work()
    worker = _Worker(work)
    threading.Thread(target=worker.run, name=f"hard-timeout-{step}", daemon=True).start()
    worker.done.wait(min(deadline.remaining(), threading.TIMEOUT_MAX))
    if not worker.done.is_set():
        deadline.check(step)
    return worker.result()


class _Worker(Generic[_T]):
    def __init__(self, work: Callable[[], _T]) -> None:
        self.done = threading.Event()
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
