"""Make the two example models with the Python that runs this.

    python tests/models/make.py DIRECTORY

Writes one_argument.pkl and two_arguments.pkl: small LightGBM models of the sample
data, each pickled with everything that it needs but its libraries.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cloudpickle
import lightgbm
import numpy as np
import pandas as pd

FEATURES = [f"feature_sample_{number:04d}" for number in range(42)]


def train() -> Any:
    """A LightGBM model of the small feature set, on data drawn as the sample is."""
    random = np.random.default_rng(7)
    features = random.integers(0, 5, (4000, len(FEATURES))).astype(np.int8)
    score = features[:, :12] @ np.linspace(-1, 1, 12) + random.normal(0, 20, len(features))
    ranks = score.argsort().argsort() / len(score)
    return lightgbm.train(
        {"num_leaves": 8, "num_threads": 1, "deterministic": True, "seed": 1, "verbose": -1},
        lightgbm.Dataset(pd.DataFrame(features, columns=FEATURES), ranks),
        num_boost_round=40,
    )


def make_models() -> dict[str, Any]:
    """The prediction functions by name; functions made here are pickled by value."""
    model = train()
    names = FEATURES

    def predict_alone(live_features: pd.DataFrame) -> pd.DataFrame:
        scores = model.predict(live_features[names])
        ranks = pd.Series(scores, live_features.index).rank(pct=True)
        return ranks.to_frame("prediction")

    def predict_with_benchmarks(
        live_features: pd.DataFrame, live_benchmark_models: pd.DataFrame
    ) -> pd.DataFrame:
        scores = pd.Series(model.predict(live_features[names]), live_features.index)
        benchmark = live_benchmark_models.iloc[:, 0].reindex(live_features.index)
        blend = 0.5 * scores.rank(pct=True) + 0.5 * benchmark.rank(pct=True)
        return blend.rank(pct=True).to_frame("prediction")

    return {"one_argument": predict_alone, "two_arguments": predict_with_benchmarks}


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, predict in make_models().items():
        with open(directory / f"{name}.pkl", "wb") as file:
            cloudpickle.dump(predict, file)
