"""Reads one data file as a model process reads it, in a process without a model."""

from __future__ import annotations

import sys

from numerai_predict.runner.child.allocation_limit import limit_memory
from numerai_predict.sandbox.process_status import status_bytes


def main() -> int:
    """The exit status: 0 if the file of the first argument fits into the bytes of the second.

    0 bytes are no limit. A limit that is too low for the libraries says nothing of the data.
    """
    import pandas as pd
    import pyarrow.parquet  # noqa: F401 - part of what no data need

    path, limit = sys.argv[1], int(sys.argv[2])
    if limit and status_bytes("VmHWM") > limit:
        return 0
    limit_memory(limit or None)
    try:
        pd.read_parquet(path)
    except Exception:
        return 1
    return int(limit and status_bytes("VmHWM") > limit)
