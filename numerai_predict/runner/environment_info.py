"""Where a run happens."""

from __future__ import annotations

import os
import platform

import numerai_predict
from numerai_predict.contract.record import EnvironmentFacts


def current_environment() -> EnvironmentFacts:
    """This Python, the image that it is in, and this version of ours."""
    return EnvironmentFacts(
        python=platform.python_version(),
        image=os.environ.get("NUMERAI_PREDICT_IMAGE"),
        runner=numerai_predict.__version__,
    )
