"""Walk-forward windows over eras: training, then stopping, then scoring, each past a purge.

    training eras | purge | stopping eras | purge | scored eras | ... | purge | holdout

Targets of neighbouring eras overlap. The purge keeps an era out of training whose target knows
something of the eras that stop or score it. The holdout, the newest eras, decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numerai_predict.contract.trained_eras import TrainedEras
from numerai_predict.contract.training_errors import BadConfiguration


@dataclass(frozen=True)
class WindowSizes:
    """How many windows, how many eras in each of their parts, and between them."""

    windows: int
    window_eras: int
    stopping_eras: int
    holdout_eras: int
    purge_eras: int


@dataclass(frozen=True)
class WalkForwardWindow:
    """One window: era numbers, ascending. In the final one `stopping` is empty."""

    name: str
    training: tuple[int, ...]
    stopping: tuple[int, ...]
    scored: tuple[int, ...]


@dataclass(frozen=True)
class WalkForwardPlan:
    """All windows, oldest first, and the final one, which is scored on the holdout."""

    windows: tuple[WalkForwardWindow, ...]
    final: WalkForwardWindow
    purge_eras: int

    def trained_on(self, eras: Sequence[int]) -> TrainedEras:
        """What a model of these eras, ascending, knows; the purge keeps others clear of it."""
        return TrainedEras(eras[0], eras[-1], eras[-1] + self.purge_eras + 1)


def plan_windows(eras: Sequence[int], sizes: WindowSizes) -> WalkForwardPlan:
    """The windows over eras, which are numbers, ascending, each once; some may be missing.

    Raises:
        BadConfiguration: there are too few eras.
    """
    holdout = tuple(eras[-sizes.holdout_eras :])
    windows = []
    rest = _eras_before(eras, holdout[:1], sizes.purge_eras)
    final = WalkForwardWindow("final", rest, (), holdout)
    for number in range(sizes.windows, 0, -1):
        scored = rest[-sizes.window_eras :]
        earlier = _eras_before(rest, scored[:1], sizes.purge_eras)
        stopping = earlier[-sizes.stopping_eras :]
        training = _eras_before(earlier, stopping[:1], sizes.purge_eras)
        if len(training) < sizes.stopping_eras or len(scored) < sizes.window_eras:
            raise _too_few_eras(eras, sizes)
        windows.append(WalkForwardWindow(f"window-{number}", training, stopping, scored))
        rest = _eras_before(rest, scored[:1], 0)
    return WalkForwardPlan(tuple(reversed(windows)), final, sizes.purge_eras)


def _eras_before(eras: Sequence[int], first: Sequence[int], purge: int) -> tuple[int, ...]:
    """The eras that end `purge` eras before the first of others."""
    return tuple(era for era in eras if first and first[0] - era > purge)


def _too_few_eras(eras: Sequence[int], sizes: WindowSizes) -> BadConfiguration:
    needed = (
        sizes.holdout_eras
        + sizes.windows * sizes.window_eras
        + 2 * sizes.stopping_eras
        + 3 * sizes.purge_eras
    )
    return BadConfiguration(
        f"expected at least {needed} eras for {sizes.windows} window(s) of {sizes.window_eras}, "
        f"{sizes.stopping_eras} to stop by, as many to train on, {sizes.holdout_eras} as holdout "
        f"and {sizes.purge_eras} between them, found {len(eras)}",
        "ask for fewer or smaller windows under `validation`, or add data",
    )
