"""Walk-forward windows over eras: training, early stopping and scoring, with an embargo between.

    training eras | embargo | stopping eras | embargo | scored eras | ... | embargo | holdout

Targets of neighbouring eras overlap. The embargo drops eras whose targets overlap with those of
the next part. The holdout consists of the newest eras; it is scored once and never used for
choices.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from numerai_predict.contract.trained_eras import TrainedEras
from numerai_predict.contract.training_errors import BadConfiguration


@dataclass(frozen=True)
class WindowSizes:
    """The number of windows, and the number of eras in each part and in the embargo."""

    windows: int
    window_eras: int
    stopping_eras: int
    holdout_eras: int
    embargo_eras: int


@dataclass(frozen=True)
class WalkForwardWindow:
    """One window: era numbers, ascending. `stopping` is empty without early stopping."""

    name: str
    training: tuple[int, ...]
    stopping: tuple[int, ...]
    scored: tuple[int, ...]


@dataclass(frozen=True)
class WalkForwardPlan:
    """All windows, oldest first, and the final one, which is scored on the holdout."""

    windows: tuple[WalkForwardWindow, ...]
    final: WalkForwardWindow
    embargo_eras: int

    def trained_on(self, eras: Sequence[int]) -> TrainedEras:
        """The manifest's entry for a model trained on these eras, which are ascending."""
        return TrainedEras(eras[0], eras[-1], eras[-1] + self.embargo_eras + 1)


def plan_windows(eras: Sequence[int], sizes: WindowSizes) -> WalkForwardPlan:
    """Plan the windows over unique, ascending era numbers; numbers may be missing.

    Raises:
        BadConfiguration: there are too few eras.
    """
    holdout = tuple(eras[-sizes.holdout_eras :])
    windows = []
    available = _eras_before(eras, holdout[:1], sizes.embargo_eras)
    final = WalkForwardWindow("final", available, (), holdout)
    for number in range(sizes.windows, 0, -1):
        scored = available[-sizes.window_eras :]
        earlier = _eras_before(available, scored[:1], sizes.embargo_eras)
        stopping = earlier[-sizes.stopping_eras :]
        training = _eras_before(earlier, stopping[:1], sizes.embargo_eras)
        if len(training) < sizes.stopping_eras or len(scored) < sizes.window_eras:
            raise _too_few_eras(eras, sizes)
        windows.append(WalkForwardWindow(f"window-{number}", training, stopping, scored))
        available = _eras_before(available, scored[:1], 0)
    return WalkForwardPlan(tuple(reversed(windows)), final, sizes.embargo_eras)


def _eras_before(eras: Sequence[int], first: Sequence[int], embargo: int) -> tuple[int, ...]:
    """The eras with more than `embargo` eras to the one in `first`; none if `first` is empty."""
    return tuple(era for era in eras if first and first[0] - era > embargo)


def _too_few_eras(eras: Sequence[int], sizes: WindowSizes) -> BadConfiguration:
    needed = (
        sizes.holdout_eras
        + sizes.windows * sizes.window_eras
        + 2 * sizes.stopping_eras
        + 3 * sizes.embargo_eras
    )
    return BadConfiguration(
        f"expected at least {needed} eras for {sizes.windows} window(s) of {sizes.window_eras}, "
        f"{sizes.stopping_eras} for early stopping, as many for training, {sizes.holdout_eras} as "
        f"holdout and an embargo of {sizes.embargo_eras}, found {len(eras)}",
        "set fewer or smaller windows under `validation`, or add data",
    )


def describe_eras(eras: Sequence[int]) -> str:
    """A short, unique description of the eras: first, last, number, and a hash of all."""
    if not eras:
        return "none"
    digest = hashlib.sha256(json.dumps(list(eras)).encode()).hexdigest()[:8]
    return f"{eras[0]} to {eras[-1]} ({len(eras)}, {digest})"
