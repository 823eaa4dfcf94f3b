"""When a training has gone on for long enough, and which of its rounds was the best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from numerai_predict.scoring.per_era import era_scores
from numerai_predict.scoring.score_summary import summarize
from numerai_predict.training.trainers.interface import CurrentPredictions


@dataclass(frozen=True)
class StoppingRule:
    """Look every so many rounds; stop when `patience` rounds (0: never) brought nothing better."""

    metric: str
    every: int
    patience: int
    rounds: int


class EarlyStopping:
    """Follows one training: a `ResourceMonitor` of the trainers.

    `target` and `eras` are those of the stopping rows, `None` where there are none: then every
    round is done.
    """

    def __init__(
        self,
        rule: StoppingRule,
        target: NDArray[np.float32] | None,
        eras: NDArray[np.int32] | None,
        tell: Callable[[int], None],
    ) -> None:
        self._rule = rule
        self._tell = tell
        self._target, self._eras = target, eras
        self.looks: list[dict[str, Any]] = []
        self._done = 0
        self._best: tuple[float, int] | None = None

    @property
    def chosen(self) -> int:
        """The best of the rounds that were looked at, or all that were done."""
        return self._best[1] if self._best else self._done

    def after(self, rounds: int, now: CurrentPredictions | None, last: bool = False) -> bool:
        """So many rounds are done; whether it is time to stop."""
        self._done = rounds
        self._tell(rounds)
        last = last or rounds == self._rule.rounds
        if now is None or (rounds % self._rule.every and not last):
            return False
        look = {"rounds": rounds, **self._scores(now())}
        self.looks.append(look)
        goodness = look["corr"] if self._rule.metric == "corr" else -look["rmse"]
        if goodness is not None and (self._best is None or goodness > self._best[0]):
            self._best = (goodness, rounds)
        waited = rounds - (self._best[1] if self._best else 0)
        return bool(self._rule.patience) and waited >= self._rule.patience

    @property
    def learned(self) -> bool:
        """Whether it told rows apart, wherever that was looked at."""
        return not self.looks or any(look["corr"] is not None for look in self.looks)

    def _scores(self, predictions: NDArray[np.float64]) -> dict[str, Any]:
        if self._target is None or self._eras is None:
            raise TypeError("there is nothing to score by")
        rmse = float(np.sqrt(np.mean(np.square(predictions - self._target))))
        target = pd.Series(self._target)
        scores = era_scores(pd.Series(predictions), target, pd.Series(self._eras.astype(str)))
        return {"rmse": rmse, "corr": summarize(scores["corr"]).mean}
