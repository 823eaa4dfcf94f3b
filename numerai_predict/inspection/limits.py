"""Limits on the time and memory of an inspection, whatever the file contains."""

from __future__ import annotations

import time
from collections.abc import Callable


class InspectionLimitExceeded(Exception):
    """The pickle exceeds a limit of the inspection; the message says which."""


class TimeLimitExceeded(InspectionLimitExceeded):
    """The inspection took longer than its time limit."""


class TimeLimit:
    """Ends an inspection after `seconds` of the thread's CPU time, however busy the machine is.

    Everything whose duration depends on the file calls `check` after a bounded amount of work:
    a chunk of the file, a thousand opcodes, one code object.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.thread_time) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def check(self) -> None:
        """Check the time that has passed.

        Raises:
            TimeLimitExceeded: more than `seconds` have passed.
        """
        if self._clock() > self._end:
            raise TimeLimitExceeded(f"the time limit of {self.seconds:.2g} s was exceeded")
