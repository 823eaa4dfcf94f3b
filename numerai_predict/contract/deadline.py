"""One deadline for a whole run: made at the edge, passed down to every wait."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from numerai_predict.contract.errors import DeadlinePassed


@dataclass(frozen=True)
class Deadline:
    """A moment after which nothing may wait any longer.

    `at` is in seconds of the monotonic clock, infinity where there is none;
    `seconds` is what the user asked for.
    """

    at: float = math.inf
    seconds: float = math.inf

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """The deadline that many seconds from now; `None` for no deadline."""
        if seconds is None:
            return cls()
        return cls(at=time.monotonic() + seconds, seconds=seconds)

    def remaining(self) -> float:
        """Seconds left: zero when passed, infinity where there is no deadline."""
        return max(0.0, self.at - time.monotonic())

    def left(self) -> float | None:
        """As `remaining`, but `None` where there is no deadline: JSON has no infinity.

        `after` makes a deadline of it again, in another process.
        """
        return None if math.isinf(self.at) else self.remaining()

    def wait(self, longest: float, step: str) -> float:
        """Seconds that a wait of at most `longest` may take.

        Raises:
            DeadlinePassed: nothing is left; the message names `step`.
        """
        self.check(step)
        return min(longest, self.remaining())

    def check(self, step: str) -> None:
        """Go on only if there is time left.

        Raises:
            DeadlinePassed: nothing is left; the message names `step`.
        """
        if self.remaining() <= 0:
            raise DeadlinePassed(
                f"the deadline of {self.seconds:g} s for the whole run passed in the step: {step}",
                "give the run more time with --deadline, or look above for the step that took it",
            )
