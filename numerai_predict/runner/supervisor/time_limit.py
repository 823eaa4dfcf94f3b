"""Limits the time that the supervisor spends on the response of a model that has ended."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from numerai_predict.contract.errors import ModelTimeout

MAX_RESPONSE_SECONDS = 120.0
_SHORTEST_SECONDS = 0.001  # 0 would switch the timer off


@contextmanager
def response_time_limit(seconds: float = MAX_RESPONSE_SECONDS) -> Iterator[None]:
    """End the block after `seconds`, where this is the main thread: only that can be interrupted.

    Everything that a model can send is bounded, and processed in time proportional to its size;
    the limit is for what this overlooks.

    Raises:
        ModelTimeout: the block took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise ModelTimeout(
            f"expected a response that can be checked within {seconds:g} s, found one that cannot",
            "return one row per id of live_features, with a column of numbers",
        )

    before = signal.signal(signal.SIGALRM, interrupt)
    delay, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    started = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if delay:  # of a limit around this one: it goes on where it was
            left = max(delay - (time.monotonic() - started), _SHORTEST_SECONDS)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
