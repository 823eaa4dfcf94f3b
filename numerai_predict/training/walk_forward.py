"""Walk-forward windows over eras: training, early stopping and scoring, with an embargo between.

    training eras | embargo | stopping eras | embargo | scored eras | ... | embargo | holdout

Targets of neighbouring eras overlap. The embargo drops eras whose targets overlap with those of
the next part. The holdout consists of the newest eras; it is scored once and never used for
choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.validation_plan import (
    ValidationPlan,
    ValidationWindow,
    eras_before,
    final_window,
)


@dataclass(frozen=True)
class WindowSizes:
    """The number of windows, and the number of eras in each part and in the embargo."""

    windows: int
    window_eras: int
    stopping_eras: int
    holdout_eras: int
    embargo_eras: int


def plan_windows(eras: Sequence[int], sizes: WindowSizes) -> ValidationPlan:
    """Plan the windows over unique, ascending era numbers; numbers may be missing.

    Raises:
        BadConfiguration: there are too few eras.
    """
    final = final_window(eras, sizes.holdout_eras, sizes.embargo_eras)
    windows, available = [], final.training
    for number in range(sizes.windows, 0, -1):
        scored = available[-sizes.window_eras :]
        earlier = eras_before(available, scored[:1], sizes.embargo_eras)
        stopping = earlier[-sizes.stopping_eras :]
        training = eras_before(earlier, stopping[:1], sizes.embargo_eras)
        if len(training) < sizes.stopping_eras or len(scored) < sizes.window_eras:
            raise _too_few_eras(eras, sizes)
        windows.append(ValidationWindow(f"window-{number}", training, stopping, scored))
        available = eras_before(available, scored[:1], 0)
    return ValidationPlan(tuple(reversed(windows)), final, sizes.embargo_eras)


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
