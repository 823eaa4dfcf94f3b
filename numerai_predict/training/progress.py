"""How a training goes on: which of all models, its rounds, and the time left."""

from __future__ import annotations

import functools

from numerai_predict.contract.limits import format_clock
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.storage.progress_line import ProgressLine

_LINE_SECONDS = 15.0

_log = functools.partial(log_step, "train")


class TrainingDisplay:
    """Tells which of all models is being trained, its rounds, and the time left at most."""

    def __init__(self, models: int) -> None:
        self._models = models
        self._number = 0
        self._label = ""
        self._rounds = 0

    def skip(self, label: str) -> None:
        """A model was there already."""
        self._number += 1
        _log(f"{self._number} of {self._models}: {label} was done before")

    def begin(self, label: str, rounds: int) -> None:
        """Start on the next model."""
        self._number += 1
        self._label, self._rounds = label, rounds
        self._ticker = ProgressLine(_log, stderr_terminal(), _LINE_SECONDS)

    def update(self, done: int) -> None:
        """So many rounds of the model are done."""
        if 0 < done < self._rounds and self._ticker.due():
            words = f"{done:,} of {self._rounds:,} rounds, {self._left(done)}"
            self._ticker.show(f"{self._name}: {words}", done / self._rounds)

    def end(self, words: str) -> None:
        """The model is done."""
        self._ticker.end()
        _log(f"{self._name}: {words} in {format_clock(self._ticker.elapsed)}")

    @property
    def _name(self) -> str:
        return f"{self._number} of {self._models}: {self._label}"

    def _left(self, done: int) -> str:
        """The time left if no training stops early: for this model, and for all."""
        pace = self._ticker.elapsed / done
        here = pace * (self._rounds - done)
        rest = pace * self._rounds * (self._models - self._number)
        return f"{format_clock(here)} left, {format_clock(here + rest)} for all"
