"""Tree models of the model process: predicted by the engine, unless that is off."""

from __future__ import annotations

import os

from numerai_predict.acceleration.accelerator import Accelerator
from numerai_predict.acceleration.interception import install
from numerai_predict.acceleration.usage import Usage, Used
from numerai_predict.runner.acceleration_option import is_allowed_by
from numerai_predict.runner.acceleration_report import AccelerationReport


def start_acceleration(*, allowed: bool) -> Usage:
    """Have libraries of trees predict through the engine; the result is filled as they do."""
    accelerator = Accelerator()
    if allowed and is_allowed_by(os.environ):
        install(accelerator)
    else:
        accelerator.usage.add(Used.LIBRARY, "all", "the engine is off")
    return accelerator.usage


def report(usage: Usage) -> AccelerationReport:
    """What has predicted so far."""
    used = None if usage.used is None else usage.used.value
    return AccelerationReport(used, tuple(usage.reasons))
