"""The progress display of a training: model number, boosting rounds, time left."""

from __future__ import annotations

import functools

from numerai_predict.contract.limits import format_clock
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.storage.progress_line import ProgressLine

_LINE_SECONDS = 15.0

_log = functools.partial(log_step, "train")


class TrainingDisplay:
    """Shows which of `models` models is trained, its rounds, and the maximum time left."""

    def __init__(self, models: int) -> None:
        self._models = models
        self._number = 0
        self._label = ""
        self._rounds = 0

    def skip(self, label: str) -> None:
        """Report a model that was loaded from its checkpoint."""
        self._number += 1
        _log(f"{self._number} of {self._models}: {label} was done before")

    def begin(self, label: str, rounds: int) -> None:
        """Start the display of the next model, which has at most `rounds` rounds."""
        self._number += 1
        self._label, self._rounds = label, rounds
        self._line = ProgressLine(_log, stderr_terminal(), _LINE_SECONDS)

    def update(self, finished: int) -> None:
        """Show the number of finished rounds of the model."""
        if 0 < finished < self._rounds and self._line.due():
            text = f"{finished:,} of {self._rounds:,} rounds, {self._time_left(finished)}"
            self._line.show(f"{self._title}: {text}", finished / self._rounds)

    def end(self, result: str) -> None:
        """Report the finished model."""
        self._line.end()
        _log(f"{self._title}: {result} in {format_clock(self._line.elapsed)}")

    @property
    def _title(self) -> str:
        return f"{self._number} of {self._models}: {self._label}"

    def _time_left(self, finished: int) -> str:
        """The time left for this model and for all models if no training stops early."""
        round_seconds = self._line.elapsed / finished
        model_seconds = round_seconds * (self._rounds - finished)
        other_seconds = round_seconds * self._rounds * (self._models - self._number)
        return (
            f"{format_clock(model_seconds)} left, "
            f"{format_clock(model_seconds + other_seconds)} for all"
        )
