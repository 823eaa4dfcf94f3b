"""One deadline for a whole command: made at the edge, passed down to every wait."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from numerai_predict.contract.errors import DeadlinePassed


@dataclass(frozen=True)
class Deadline:
    """The moment at which a command gives up.

    `at` is in seconds of the monotonic clock, infinity for no deadline; `seconds` is the time that
    the user allowed.
    """

    at: float = math.inf
    seconds: float = math.inf

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """The deadline `seconds` from now; `None` for no deadline."""
        if seconds is None:
            return cls()
        return cls(at=time.monotonic() + seconds, seconds=seconds)

    def remaining(self) -> float:
        """Seconds left: zero once it is over, infinity without a deadline."""
        return max(0.0, self.at - time.monotonic())

    def left(self) -> float | None:
        """As `remaining`, but `None` without a deadline: JSON has no infinity.

        `after` turns it into a deadline again, in another process.
        """
        return None if math.isinf(self.at) else self.remaining()

    def wait(self, longest: float, step: str) -> float:
        """Seconds that a wait of at most `longest` seconds may take.

        Raises:
            DeadlinePassed: no time is left; the message names `step`.
        """
        self.check(step)
        return min(longest, self.remaining())

    def check(self, step: str) -> None:
        """Continue only if there is time left.

        Raises:
            DeadlinePassed: no time is left; the message names `step`.
        """
        if self.remaining() <= 0:
            raise DeadlinePassed(
                f"the run exceeded its deadline of {self.seconds:g} s during the {step} step",
                "allow more time with --deadline, or find the slow step in the log above",
            )
