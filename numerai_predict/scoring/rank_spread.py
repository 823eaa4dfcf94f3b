"""How much predictions differ from each other, whatever their scale."""

from __future__ import annotations

import numpy as np
import pandas as pd


def rank_spread(values: pd.Series[float]) -> float:
    """The standard deviation (ddof 1) of the ranks of the finite values, scaled to 0 to 1."""
    finite = values[np.isfinite(values)]
    return float(finite.rank().std(ddof=1)) / len(finite) if len(finite) > 1 else 0.0
