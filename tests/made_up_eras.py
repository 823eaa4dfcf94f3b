"""Scores, exposures and turnover of eras, made up."""

import numpy as np
import pandas as pd


def made_up_eras(count, *scores):
    random = np.random.default_rng(5)
    index = [f"{number:04d}" for number in range(575, 575 + count)]
    columns = {score: random.normal(0.02, 0.03, count) for score in scores}
    columns["max_exposure"] = random.uniform(0.1, 0.3, count)
    columns["turnover"] = [np.nan, *random.uniform(0, 0.4, count - 1)]
    return pd.DataFrame(columns, index)
