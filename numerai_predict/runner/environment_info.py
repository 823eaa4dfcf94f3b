"""The `environment` part of the result record."""

from __future__ import annotations

import os
import platform

import numerai_predict
from numerai_predict.contract.record import EnvironmentFacts


def current_environment() -> EnvironmentFacts:
    """The running Python, its container image, and the version of this package."""
    return EnvironmentFacts(
        python=platform.python_version(),
        image=os.environ.get("NUMERAI_PREDICT_IMAGE"),
        runner=numerai_predict.__version__,
    )
