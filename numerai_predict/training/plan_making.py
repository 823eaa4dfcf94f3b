"""Plans the windows or folds of a training, with the embargo that its targets need."""

from __future__ import annotations

from collections.abc import Sequence

from numerai_predict.runner.run_log import log_step
from numerai_predict.scoring.target_overlap import TargetOverlap
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.embargo import choose_embargo
from numerai_predict.training.k_fold import FoldSizes, plan_folds
from numerai_predict.training.training_data import TrainingData
from numerai_predict.training.validation_plan import (
    ValidationPlan,
    ValidationWindow,
    describe_spans,
)
from numerai_predict.training.walk_forward import WindowSizes, plan_windows


def make_plan(
    config: TrainingConfig,
    data: TrainingData,
    overlaps: Sequence[TargetOverlap],
    *,
    force: bool = False,
) -> ValidationPlan:
    """Plan the windows or folds over the eras of the data, with the overlaps of the targets.

    Raises:
        BadConfiguration: there are too few eras, or the embargo is too short and not forced.
    """
    chosen = config.validation
    embargo = choose_embargo(chosen.purge_eras, overlaps, config.horizons, force=force)
    between = embargo
    if chosen.scheme == "kfold":
        between = choose_embargo(0, overlaps, config.horizons, force=force)
    if chosen.scheme == "walk_forward":
        sizes = WindowSizes(
            chosen.windows, chosen.window_eras, chosen.stopping_eras, chosen.holdout_eras, embargo
        )
        plan = plan_windows(data.eras, sizes)
    else:
        folds = FoldSizes(chosen.folds, chosen.stopping_eras, chosen.holdout_eras, between, embargo)
        plan = plan_folds(data.eras, folds)
    for window in plan.windows:
        _log_window(window, between)
    _log_window(plan.final, embargo)
    return plan


def _log_window(window: ValidationWindow, embargo: int) -> None:
    parts = {"train": window.training, "stop": window.stopping, "score": window.scored}
    spans = [
        f"{use} {describe_spans(part, [era for other in parts.values() for era in other])}"
        for use, part in parts.items()
        if part
    ]
    log_step("plan", f"{window.name}: eras to {', '.join(spans)}; embargo {embargo}")
