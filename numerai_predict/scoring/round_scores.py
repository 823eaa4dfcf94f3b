"""The scores of one round's predictions after its targets are known."""

from __future__ import annotations

import pandas as pd
from numerai_tools.scoring import correlation_contribution, numerai_corr


def round_scores(
    predictions: pd.Series[float],
    targets: pd.Series[float],
    meta_model: pd.Series[float],
    benchmark: pd.Series[float],
) -> dict[str, float]:
    """CORR, MMC and BMC by their names in the tournament's API; all four series are by id.

    Source: `numerai_tools.scoring`: numerai_corr; correlation_contribution against the
    meta model (MMC) and against a benchmark model (BMC).
    """
    frame = predictions.sort_index().to_frame("prediction")
    target, meta, bench = (each.sort_index() for each in (targets, meta_model, benchmark))
    return {
        "v2_corr20": float(numerai_corr(frame, target)["prediction"]),
        "mmc": float(correlation_contribution(frame, meta, target)["prediction"]),
        "bmc": float(correlation_contribution(frame, bench, target)["prediction"]),
    }
