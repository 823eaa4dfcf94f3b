"""Pickle the benchmarks' models with the Python that runs this.

    python bench/pack.py BOOSTER DIRECTORY

Writes one_argument.pkl and two_arguments.pkl.
"""

import sys
from pathlib import Path

import cloudpickle
import lightgbm
import pandas as pd


def models(booster):
    """The prediction functions by name."""
    names = booster.feature_name()

    def predict(live_features: pd.DataFrame) -> pd.DataFrame:
        scores = pd.Series(booster.predict(live_features[names]), live_features.index)
        return scores.rank(pct=True).to_frame("prediction")

    def predict_with_benchmarks(
        live_features: pd.DataFrame, live_benchmark_models: pd.DataFrame
    ) -> pd.DataFrame:
        own = predict(live_features)["prediction"]
        benchmark = live_benchmark_models.iloc[:, 0].reindex(own.index)
        return (own + benchmark.rank(pct=True)).rank(pct=True).to_frame("prediction")

    return {"one_argument": predict, "two_arguments": predict_with_benchmarks}


if __name__ == "__main__":
    booster = lightgbm.Booster(model_file=sys.argv[1])
    for name, function in models(booster).items():
        Path(sys.argv[2], f"{name}.pkl").write_bytes(cloudpickle.dumps(function))
