"""Folds over eras: each block of eras is scored by models of the others, on both sides of it.

    training eras | embargo | scored eras | embargo | training eras | embargo | stopping eras

All eras before the holdout are scored: a blend has more of them to learn from than walk-forward
windows score. The models of a fold also know later eras, so the scores say less of the future.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.validation_plan import (
    ValidationPlan,
    ValidationWindow,
    final_window,
)


@dataclass(frozen=True)
class FoldSizes:
    """The number of folds, the eras for early stopping and in the holdout, and the embargoes.

    `fold_embargo_eras` lies on both sides of a fold's scored and stopping eras, `embargo_eras`
    before the holdout.
    """

    folds: int
    stopping_eras: int
    holdout_eras: int
    fold_embargo_eras: int
    embargo_eras: int


def plan_folds(eras: Sequence[int], sizes: FoldSizes) -> ValidationPlan:
    """Plan the folds over unique, ascending era numbers; numbers may be missing.

    A fold is a block of successive eras; the sizes of two differ by one at most.

    Raises:
        BadConfiguration: there are too few eras.
    """
    final = final_window(eras, sizes.holdout_eras, sizes.embargo_eras)
    available, windows = final.training, []
    for number in range(sizes.folds):
        first = number * len(available) // sizes.folds
        last = (number + 1) * len(available) // sizes.folds
        scored = available[first:last]
        others = _away_from(available, scored, sizes.fold_embargo_eras)
        stopping = others[-sizes.stopping_eras :]
        training = _away_from(others, stopping, sizes.fold_embargo_eras)
        if len(scored) < 2 or len(training) < sizes.stopping_eras:
            raise _too_few_eras(eras, sizes)
        windows.append(ValidationWindow(f"fold-{number + 1}", training, stopping, scored))
    return ValidationPlan(tuple(windows), final, sizes.embargo_eras)


def _away_from(eras: Sequence[int], block: Sequence[int], embargo: int) -> tuple[int, ...]:
    """The eras with more than `embargo` eras to each one between the ends of the block."""
    if not block:
        return tuple(eras)
    first, last = block[0], block[-1]
    return tuple(era for era in eras if first - era > embargo or era - last > embargo)


def _too_few_eras(eras: Sequence[int], sizes: FoldSizes) -> BadConfiguration:
    return BadConfiguration(
        f"expected more eras for {sizes.folds} folds, {sizes.stopping_eras} eras for early "
        f"stopping, as many for training, {sizes.holdout_eras} as holdout and embargoes of "
        f"{sizes.fold_embargo_eras} on both sides of a fold, found {len(eras)}",
        "set fewer folds or stopping eras under `validation`, or add data",
    )
