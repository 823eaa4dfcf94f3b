"""What a training takes: rows, memory and time, from its plan and a trial on a part of the data."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from numerai_predict.resources.memory import available_bytes
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.trainers.interface import (
    CurrentPredictions,
    Trainer,
    TrainingRows,
)
from numerai_predict.training.training_data import TrainingData
from numerai_predict.training.validation_plan import (
    ValidationPlan,
    ValidationWindow,
    whole_window,
)

# Of the process without features, and of the blocks in which they are read (bench/trainers.py).
_BASE_BYTES = 800_000_000
# Rows of the two trials, and boosting rounds of the two trainings of each: differences leave out
# what a training takes once, and what a round takes for any number of rows.
_TRIAL_ROWS, _TRIAL_ROUNDS = (10_000, 40_000), (2, 7)


@dataclass(frozen=True)
class WindowEstimate:
    """A window's models, its eras and rows, and the time to load them and train all its models.

    `seconds` is for all boosting rounds, without early stopping.
    """

    name: str
    models: int
    training_eras: int
    training_rows: int
    stopping_rows: int
    seconds: float


@dataclass(frozen=True)
class TrainingEstimate:
    """The windows in the order of training, and the memory at its peak.

    `available_bytes` is the free memory of this machine.
    """

    windows: Sequence[WindowEstimate]
    features: int
    rounds: int
    memory_bytes: int
    available_bytes: int

    @property
    def seconds(self) -> float:
        """The time to train all models."""
        return sum(window.seconds for window in self.windows)


def estimate_training(
    config: TrainingConfig, data: TrainingData, plan: ValidationPlan, trainer: Trainer
) -> TrainingEstimate:
    """Estimate the time by a trial on a part of the rows; the scoring of windows is left out.

    Raises:
        BadConfiguration: the trainer has too little memory for the trial.
    """
    windows = list(_all_windows(config, data, plan))
    speed = _measure(data, windows[-1], trainer)
    estimates = [_estimate(config, data, each, speed) for each in windows]
    most_rows = max(each.training_rows + each.stopping_rows for each in estimates)
    memory = _BASE_BYTES + int(trainer.bytes_per_value * most_rows * len(data.features))
    return TrainingEstimate(estimates, len(data.features), config.rounds, memory, available_bytes())


def _all_windows(
    config: TrainingConfig, data: TrainingData, plan: ValidationPlan
) -> Iterator[ValidationWindow]:
    yield from plan.windows
    yield plan.final
    if config.use_holdout:
        yield whole_window(data.eras)


def _estimate(
    config: TrainingConfig, data: TrainingData, window: ValidationWindow, speed: _Speed
) -> WindowEstimate:
    rows, stopping = (int(data.mask(eras).sum()) for eras in (window.training, window.stopping))
    models = len(config.targets) * len(config.seeds)
    seconds = models * config.rounds * speed.round_seconds(rows)
    seconds += len(config.targets) * speed.load_seconds_per_row * (rows + stopping)
    return WindowEstimate(window.name, models, len(window.training), rows, stopping, seconds)


@dataclass(frozen=True)
class _Speed:
    """The seconds of a boosting round: a part for any number of rows, and one for each row.

    To load a row takes `load_seconds_per_row`.
    """

    fixed: float
    per_row: float
    load_seconds_per_row: float

    def round_seconds(self, rows: int) -> float:
        return self.fixed + self.per_row * rows


def _measure(data: TrainingData, window: ValidationWindow, trainer: Trainer) -> _Speed:
    small, large = (_trial_rows(data, window, rows) for rows in _TRIAL_ROWS)
    few, many = len(small.target), len(large.target)
    load, seconds = _trial_seconds(trainer, large)
    if many == few:
        return _Speed(0.0, seconds / many, load / many)
    per_row = max(0.0, seconds - _trial_seconds(trainer, small)[1]) / (many - few)
    return _Speed(max(0.0, seconds - per_row * many), per_row, load / many)


def _trial_rows(data: TrainingData, window: ValidationWindow, rows: int) -> TrainingRows:
    """The newest eras of the window that have at least so many rows, or all of them."""
    numbers, counts = np.unique(data.history.eras[data.mask(window.training)], return_counts=True)
    enough = int(np.searchsorted(np.cumsum(counts[::-1]), rows)) + 1
    return data.rows([int(era) for era in numbers[-enough:]], data.main_target)


def _trial_seconds(trainer: Trainer, rows: TrainingRows) -> tuple[float, float]:
    """The seconds to load the rows, and those of a boosting round."""
    started = time.perf_counter()
    loaded = trainer.load(rows)
    trainer.fit(loaded, None, 1, 1, _Counter())  # the first training prepares the data
    load = time.perf_counter() - started
    times = []
    for rounds in _TRIAL_ROUNDS:
        started = time.perf_counter()
        trainer.fit(loaded, None, 1, rounds, _Counter())
        times.append(time.perf_counter() - started)
    rounds_between = _TRIAL_ROUNDS[1] - _TRIAL_ROUNDS[0]
    return load, max(0.0, times[1] - times[0]) / rounds_between


class _Counter:
    """Counts the rounds of a trial, which has no stopping rows."""

    def __init__(self) -> None:
        self.best_rounds = 0

    def after_round(
        self,
        rounds: int,
        predict: CurrentPredictions | None,  # noqa: ARG002 - the interface of observers
        last: bool = False,  # noqa: ARG002
    ) -> bool:
        self.best_rounds = rounds
        return False
