"""How a run's transfers are told: in the log, and on a terminal by a bar."""

from __future__ import annotations

import functools
import sys

from numerai_predict.contract.deadline import Deadline
from numerai_predict.runner.log import log_step
from numerai_predict.storage.terms import Terms


def terms_of(deadline: Deadline, step: str) -> Terms:
    """The terms of the transfers of a step."""
    shows_bars = sys.stderr is not None and sys.stderr.isatty()  # None where it was closed
    terminal = sys.stderr if shows_bars else None
    return Terms(deadline, say=functools.partial(log_step, step), terminal=terminal)
