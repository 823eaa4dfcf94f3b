"""Payouts of past eras; separate from `payouts`, which command parsers import without pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from numerai_predict.scoring.payouts import CLIP, CORR_MULTIPLIER, MMC_MULTIPLIER


def era_payouts(
    corr: pd.Series[float],
    mmc: pd.Series[float],
    multipliers: tuple[float, float] = (CORR_MULTIPLIER, MMC_MULTIPLIER),
    factor: float = 1.0,
) -> pd.Series[float]:
    """What a stake of 1 earns in each era; both scores are by era.

    `multipliers` are those of CORR and MMC, `factor` is the payout factor. NaN where a score is.
    See `payout_shares`.
    """
    paid = factor * (multipliers[0] * corr + multipliers[1] * mmc)
    return pd.Series(np.clip(paid.to_numpy(np.float64), -CLIP, CLIP), paid.index)
