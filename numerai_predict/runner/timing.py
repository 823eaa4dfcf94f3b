"""How long the steps of a run take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from numerai_predict.contract.record import Seconds


@contextmanager
def measure_step(seconds: Seconds, step: str) -> Iterator[None]:
    """Add the wall time of the block to a step's seconds."""
    started = time.perf_counter()
    try:
        yield
    finally:
        spent = (getattr(seconds, step) or 0.0) + time.perf_counter() - started
        setattr(seconds, step, spent)
