"""A hard end to whatever blocks: looking up a host, a handshake, a send, a read."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from numerai_predict.contract.deadline import Deadline

_T = TypeVar("_T")


def run_with_hard_timeout(work: Callable[[], _T], deadline: Deadline, step: str) -> _T:
    """What `work` returns or raises, or `DeadlinePassed` on the spot once that is due.

    A socket's own time limits bound one system call each: a host name that is not
    answered, or headers that drip, pass any sum of them. So the work is done in a
    thread, and the deadline leaves it behind. It must check the deadline itself
    before each step that others can see, so that it does nothing more when it wakes.

    Raises:
        DeadlinePassed: nothing is left; the message names `step`.
    """
    deadline.check(step)
    if math.isinf(deadline.at):
        return work()
    worker = _Worker(work)
    threading.Thread(target=worker.run, name=f"bounded-{step}", daemon=True).start()
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
