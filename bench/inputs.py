"""The inputs of the benchmarks: live data and a model of the size of typical submissions.

Generated on first use, in `bench/.inputs/`.
"""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.data.synthetic import write_sample

ROWS = 6_500
FEATURES = 2_750
TREES = 2_000

FOLDER = Path(__file__).parent / ".inputs"


def sample() -> Path:
    """A directory with live data of 6,500 rows and 2,750 features."""
    folder = FOLDER / "sample"
    if not folder.exists():
        print(f"making {ROWS:,} x {FEATURES:,} live data, once", flush=True)
        shape = SampleShape(ROWS, rows=2_000, train_eras=2, validation_eras=1, features=FEATURES)
        write_sample(folder, shape)
    return folder


def booster() -> Path:
    """A LightGBM model of 2,000 trees on all features, in LightGBM's own text."""
    path = FOLDER / "booster.txt"
    if not path.exists():
        print(f"training {TREES:,} trees, once", flush=True)
        train = pd.read_parquet(sample() / "train.parquet")
        names = [name for name in train.columns if name.startswith("feature_")]
        lightgbm.train(
            {"num_leaves": 31, "feature_fraction": 0.05, "learning_rate": 0.01, "verbose": -1},
            lightgbm.Dataset(train[names].astype(np.float32), train["target"]),
            num_boost_round=TREES,
        ).save_model(path)
    return path
