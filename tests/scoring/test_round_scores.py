"""The scores of a round are those of numerai-tools."""

import numpy as np
import pandas as pd

from numerai_predict.data.synthetic import SampleShape, draw_round
from numerai_predict.scoring.round_scores import round_scores


def test_perfect_predictions_score_well_and_the_meta_model_itself_contributes_nothing():
    era = draw_round(SampleShape(live_rows=400, features=50), 3)
    target = era.frame["target"].astype(float)
    meta, benchmark = era.meta_model["numerai_meta_model"], era.benchmarks.iloc[:, 0]
    noise = pd.Series(np.random.default_rng(1).normal(size=400) * 0.01, target.index)
    perfect = round_scores((target + noise).rank(pct=True), target, meta, benchmark)
    assert perfect["v2_corr20"] > 0.9
    assert perfect["mmc"] > 0
    copied = round_scores(meta, target, meta, benchmark)
    assert abs(copied["mmc"]) < 1e-9
