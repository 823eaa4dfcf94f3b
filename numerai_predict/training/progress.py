"""How a training goes on: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from numerai_predict.contract.limits import format_clock
from numerai_predict.runner.log import log_step

_PLAIN_SECONDS = 15.0


class Display:
    """Tells which of all models is being trained, its rounds, and the time left at most."""

    def __init__(self, models: int, rounds: int, stream: TextIO = sys.stderr) -> None:
        self._console = Console(file=stream)
        self._models, self._rounds = models, rounds
        self._number = 0
        self._bar: Progress | None = None
        self._label = ""
        self._started = self._next = 0.0

    def skip(self, label: str) -> None:
        """A model was there already."""
        self._number += 1
        log_step("train", f"{self._number} of {self._models}: {label} was done before")

    def begin(self, label: str, rounds: int) -> None:
        """Start on the next model."""
        self._number += 1
        self._label, self._rounds = label, rounds
        self._started = time.monotonic()
        self._next = self._started + _PLAIN_SECONDS
        if self._console.is_terminal:
            words = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}")
            self._bar = Progress(*words, console=self._console, transient=True)
            self._bar.add_task(self._name(), total=rounds, left="")
            self._bar.start()

    def tell(self, done: int) -> None:
        """So many rounds of the model are done."""
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, left=self._left(done, now))
        elif now >= self._next:
            self._next = now + _PLAIN_SECONDS
            words = f"{done:,} of {self._rounds:,} rounds, {self._left(done, now)}"
            log_step("train", f"{self._name()}: {words}")

    def end(self, words: str) -> None:
        """The model is done."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        seconds = time.monotonic() - self._started
        log_step("train", f"{self._name()}: {words} in {format_clock(seconds)}")

    def _name(self) -> str:
        return f"{self._number} of {self._models}: {self._label}"

    def _left(self, done: int, now: float) -> str:
        """The time left if no training stops early: for this model, and for all."""
        pace = (now - self._started) / max(1, done)
        here = pace * (self._rounds - done)
        rest = pace * self._rounds * (self._models - self._number)
        return f"{format_clock(here)} left, {format_clock(here + rest)} for all"
