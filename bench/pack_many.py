"""Pickle many distinct models of one booster with the Python that runs this.

python bench/pack_many.py BOOSTER DIRECTORY COUNT

The leaves differ: no two files and no two predictions are the same.
"""

import sys
from pathlib import Path

import cloudpickle
import lightgbm
import pandas as pd


def model(booster):
    names = booster.feature_name()

    def predict(live_features: pd.DataFrame) -> pd.DataFrame:
        scores = pd.Series(booster.predict(live_features[names]), live_features.index)
        return scores.rank(pct=True).to_frame("prediction")

    return predict


if __name__ == "__main__":
    file, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    for number in range(count):
        booster = lightgbm.Booster(model_file=file)
        for tree in range(number % 50, 2_000, 50):
            for leaf in (0, 1, 2):
                value = booster.get_leaf_output(tree, leaf)
                booster.set_leaf_output(tree, leaf, value + (number + 1) * 1e-5)
        (folder / f"model{number:04}.pkl").write_bytes(cloudpickle.dumps(model(booster)))
