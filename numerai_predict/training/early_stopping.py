"""Early stopping: when a training ends, and which number of boosting rounds was best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.scoring.per_era import era_scores
from numerai_predict.training.trainers.interface import CurrentPredictions


@dataclass(frozen=True)
class StoppingRule:
    """Evaluate `metric` every `every` rounds; stop after `stop_after` rounds without improvement.

    `stop_after` 0 never stops early. `rounds` is the maximum number of rounds.
    """

    metric: Literal["corr", "rmse"]
    every: int
    stop_after: int
    rounds: int


class EarlyStopping:
    """The `TrainingObserver` of one training.

    `target` and `eras` belong to the stopping rows, shape (rows,); `None` without stopping rows:
    then all rounds are trained. `on_round` receives the number of finished rounds. `evaluations`
    has the scores of each evaluation, oldest first.
    """

    def __init__(
        self,
        rule: StoppingRule,
        target: NDArray[np.float32] | None,
        eras: NDArray[np.int32] | None,
        on_round: Callable[[int], None],
    ) -> None:
        self._rule = rule
        self._on_round = on_round
        self._target, self._eras = target, eras
        self.evaluations: list[dict[str, Any]] = []
        self._finished = 0
        self._best: tuple[float, int] | None = None

    @property
    def best_rounds(self) -> int:
        """The number of rounds with the best evaluation, or of all without evaluations."""
        return self._best[1] if self._best else self._finished

    def after_round(
        self, rounds: int, predict: CurrentPredictions | None, last: bool = False
    ) -> bool:
        """Record that `rounds` rounds are finished; returns whether to stop."""
        self._finished = rounds
        self._on_round(rounds)
        last = last or rounds == self._rule.rounds
        if predict is None or (rounds % self._rule.every and not last):
            return False
        evaluation = {"rounds": rounds, **self._scores(predict())}
        self.evaluations.append(evaluation)
        score = evaluation["corr"] if self._rule.metric == "corr" else -evaluation["rmse"]
        if score is not None and (self._best is None or score > self._best[0]):
            self._best = (score, rounds)
        without_improvement = rounds - (self._best[1] if self._best else 0)
        return bool(self._rule.stop_after) and without_improvement >= self._rule.stop_after

    @property
    def has_learned(self) -> bool:
        """Whether any evaluation had varying predictions; true without evaluations."""
        return not self.evaluations or any(each["corr"] is not None for each in self.evaluations)

    def _scores(self, predictions: NDArray[np.float64]) -> dict[str, Any]:
        if self._target is None or self._eras is None:
            raise TypeError("expected stopping rows to score, found none")
        rmse = float(np.sqrt(np.mean(np.square(predictions - self._target))))
        target = pd.Series(self._target)
        scores = era_scores(pd.Series(predictions), target, pd.Series(self._eras.astype(str)))
        known = scores["corr"].dropna()
        return {"rmse": rmse, "corr": float(known.mean()) if len(known) else None}
