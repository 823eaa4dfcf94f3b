"""What `train --plan` shows: windows, rows, memory and time."""

from __future__ import annotations

import json
from dataclasses import asdict

from numerai_predict.contract.limits import format_clock, format_size
from numerai_predict.runner.run_log import log_step
from numerai_predict.terminal.screen import show
from numerai_predict.terminal.table import Column, TextTable
from numerai_predict.training.estimate import TrainingEstimate

_COLUMNS = (
    Column("window"),
    Column("models", right=True),
    Column("eras", right=True),
    Column("rows", right=True),
    Column("rows to stop", right=True),
    Column("at most", right=True),
)


def show_plan(estimate: TrainingEstimate, as_json: bool) -> str:
    """Print the plan; returns the message of success."""
    if as_json:
        print(json.dumps({**asdict(estimate), "seconds": estimate.seconds}, indent=2))
    else:
        show(_table(estimate), *_sums(estimate))
    if estimate.memory_bytes > estimate.available_bytes:
        log_step(
            "warning",
            f"expected {format_size(estimate.memory_bytes)} of free memory, found "
            f"{format_size(estimate.available_bytes)}: choose fewer features or eras (features, "
            "data.eras), or trainer: lightgbm, which takes the least",
        )
    return "no model was trained; leave --plan out to train"


def _table(estimate: TrainingEstimate) -> TextTable:
    rows = [
        [
            each.name,
            f"{each.models:,}",
            f"{each.training_eras:,}",
            f"{each.training_rows:,}",
            f"{each.stopping_rows:,}",
            format_clock(each.seconds),
        ]
        for each in estimate.windows
    ]
    return TextTable(_COLUMNS, rows)


def _sums(estimate: TrainingEstimate) -> tuple[str, str]:
    models = sum(each.models for each in estimate.windows)
    return (
        f"{models:,} models of at most {estimate.rounds:,} rounds on {estimate.features:,} "
        f"features: {format_clock(estimate.seconds)} at most, as early stopping ends most of them "
        "sooner; scoring and packing come on top",
        f"memory: about {format_size(estimate.memory_bytes)}, of which "
        f"{format_size(estimate.available_bytes)} are free",
    )
