"""`numerai-predict train`: from a snapshot to a pickle that the runner runs."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.runner.options import dataset_version
from numerai_predict.storage.directories import data_directory
from numerai_predict.training.config_file import read_training_config
from numerai_predict.training.config_reference import defaults_as_yaml
from numerai_predict.training.pipeline import train

_SHORTEST = 0.001  # seconds; 0 would switch the timer off
_REPEAT = 5.0  # seconds between alarms: the exception of the first may be lost in a callback


def run(options: argparse.Namespace) -> str | int:
    """Train as the configuration says; returns the message of success."""
    if options.print_defaults:
        print(defaults_as_yaml(), end="")
        return 0
    settings = read_training_config(options.config)
    if options.python:
        settings = settings.model_copy(update={"python": options.python})
    directory = settings.data.directory or data_directory() / dataset_version(os.environ)
    with _interrupted_at(Deadline.after(options.deadline)):
        result = train(settings, directory)
    print(_table(result.scores))
    return f"the bundle is ready; try it: numerai-predict run {result.output / 'model.pkl'}"


@contextmanager
def _interrupted_at(deadline: Deadline) -> Iterator[None]:
    """Raise `DeadlinePassed` in the block when the deadline passes; what is finished is kept."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        deadline.check("train")

    if deadline.left() is None:
        yield
        return
    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(deadline.remaining(), _SHORTEST), _REPEAT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _table(scores: dict[str, Any]) -> str:
    """The scores of all windows together and of the holdout, a line each."""
    lines = [f"{'':16}{'mean':>9}{'std':>9}{'sharpe':>9}{'drawdown':>10}{'eras':>6}"]
    for part in ("windows", "holdout"):
        for name, facts in scores[part].items():
            numbers = (facts[key] for key in ("mean", "std", "sharpe", "max_drawdown"))
            mean, std, sharpe, fall = (
                "-" if value is None else f"{value:.4f}" for value in numbers
            )
            if name == "exposure":
                sharpe = fall = "-"
            lines.append(
                f"{part + ' ' + name:16}{mean:>9}{std:>9}{sharpe:>9}{fall:>10}{facts['eras']:>6}"
            )
    return "\n".join(lines)
