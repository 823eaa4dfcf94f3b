"""Reads one data file as a model process reads it, in a process without a model."""

from __future__ import annotations

import sys
from enum import IntEnum

from numerai_predict.runner.child.allocation_limit import limit_memory
from numerai_predict.sandbox.process_status import status_bytes


class ProbeExit(IntEnum):
    """The exit statuses of the probe. Python itself ends with 1 or 2, which say nothing."""

    READABLE = 0
    TOO_LARGE = 101
    UNREADABLE = 102


def main() -> int:
    """The `ProbeExit` of the file of the first argument, within the bytes of the second.

    0 bytes are no limit. A limit that is too low for the libraries says nothing of the data.
    """
    import pandas as pd
    import pyarrow.parquet  # noqa: F401 - part of what no data need

    path, limit = sys.argv[1], int(sys.argv[2])
    if limit and status_bytes("VmHWM") > limit:
        return ProbeExit.READABLE
    limit_memory(limit or None)
    try:
        pd.read_parquet(path)
    except MemoryError:
        return ProbeExit.TOO_LARGE
    except Exception:
        return ProbeExit.UNREADABLE
    fits = not limit or status_bytes("VmHWM") <= limit
    return ProbeExit.READABLE if fits else ProbeExit.TOO_LARGE
