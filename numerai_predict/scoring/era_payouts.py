"""Payouts of past eras; separate from `payouts`, which command parsers import without pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from numerai_predict.scoring.payouts import CLIP, CORR_MULTIPLIER, MMC_MULTIPLIER


def era_payouts(corr: pd.Series[float], mmc: pd.Series[float]) -> pd.Series[float]:
    """What a stake of 1 earns in each era, with a payout factor of 1; both scores are by era.

    NaN where a score is. See `payout_shares`.
    """
    paid = CORR_MULTIPLIER * corr + MMC_MULTIPLIER * mmc
    return pd.Series(np.clip(paid.to_numpy(np.float64), -CLIP, CLIP), paid.index)
