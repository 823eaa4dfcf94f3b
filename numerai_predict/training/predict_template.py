"""What a bundle holds, and the program that packs it in the Python that is to run it.

It imports nothing of numerai_predict. Started as a program it reads a folder (`bundle.json`, and
one file a model) and writes the pickle; cloudpickle takes all that is defined in a program by
value. The trainer uses the same functions for its own predictions.
"""

from __future__ import annotations

import json
import sys
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_ROWS_AT_ONCE = 8192


def load_model(kind: str, body: bytes) -> Any:
    """A function from float32 features with shape (rows, features) to one number a row."""
    if kind == "lightgbm":
        import lightgbm

        return lightgbm.Booster(model_str=body.decode()).predict
    if kind == "xgboost":
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(bytearray(body))
        return booster.inplace_predict
    if kind == "catboost":
        import catboost

        return catboost.CatBoost().load_model(blob=body).predict
    raise ValueError(f"expected lightgbm, xgboost or catboost, found {kind!r}")


def predict_with(model: Any, features: Any) -> Any:
    """The model's predictions of features of any number type, float64 with shape (rows,)."""
    parts = [np.zeros(0)]
    for start in range(0, len(features), _ROWS_AT_ONCE):
        some = np.ascontiguousarray(features[start : start + _ROWS_AT_ONCE], dtype=np.float32)
        parts.append(np.asarray(model(some), dtype=np.float64).reshape(-1))
    return np.concatenate(parts)


def rank_in_unit_interval(values: Any) -> Any:
    """Ranks within 0 and 1, neither of them reached; equal values have equal ranks."""
    return (pd.Series(values).rank().to_numpy() - 0.5) / len(values)


def combine(predictions: Any, benchmark: Any, share: float) -> Any:
    """One era's predictions of all models as one: the mean of ranks, neutralised, ranked again.

    `predictions` has shape (models, rows). `share` of what follows the benchmark (shape (rows,), or
    `None`) is taken away. Sums are exact, so that every machine gets the same.
    """
    total = np.zeros(len(predictions[0]))
    for one in predictions:
        total += rank_in_unit_interval(one)
    mean = total / len(predictions)
    if benchmark is not None and share and not np.isnan(benchmark).all():
        known = np.where(np.isnan(benchmark), np.nanmean(benchmark), benchmark)
        direction = rank_in_unit_interval(known) - 0.5
        along = fsum((mean - 0.5) * direction) / max(fsum(direction * direction), 1e-12)
        mean = mean - share * along * direction
    return rank_in_unit_interval(mean)


def combine_by_era(eras: Any, predictions: Any, benchmark: Any, share: float) -> Any:
    """The same, era by era; rows of an era may lie anywhere."""
    result = np.zeros(len(eras))
    for rows in pd.Series(range(len(eras))).groupby(np.asarray(eras)).indices.values():
        other = None if benchmark is None else benchmark[rows]
        result[rows] = combine([one[rows] for one in predictions], other, share)
    return result


def make_predict(facts: dict[str, Any], models: list[bytes]) -> Any:
    """The function that is pickled, of one argument, or of two where the benchmark is used."""
    features, kind = facts["features"], facts["kind"]
    benchmark, share = facts["benchmark"], facts["neutralize"]

    def whole(live_features: Any, known: Any) -> Any:
        lacking = [name for name in features if name not in live_features.columns]
        if lacking:
            raise ValueError(
                f"expected {len(features)} features, found {len(lacking)} of them missing, such as "
                f"{', '.join(lacking[:3])}: give this model the data that it was trained for"
            )
        values = live_features[features].to_numpy()
        predictions = [predict_with(load_model(kind, body), values) for body in models]
        eras = live_features["era"] if "era" in live_features else np.zeros(len(live_features))
        final = combine_by_era(eras, predictions, known, share)
        return pd.DataFrame({"prediction": final}, index=live_features.index)

    def predict(live_features: Any) -> Any:
        return whole(live_features, None)

    def predict_with_benchmark(live_features: Any, live_benchmark_models: Any) -> Any:
        if benchmark not in live_benchmark_models:
            raise ValueError(f"expected the benchmark model {benchmark}, found none such")
        column = live_benchmark_models[benchmark].reindex(live_features.index)
        if column.isna().all():
            raise ValueError(f"expected {benchmark} for these ids, found it for none of them")
        return whole(live_features, column.to_numpy(dtype=np.float64))

    chosen = predict_with_benchmark if share else predict
    chosen.__name__ = chosen.__qualname__ = "predict"
    return chosen


def pack(folder: Path, pickle: Path) -> None:
    """Write the pickle of what lies in the folder."""
    import cloudpickle

    facts = json.loads((folder / "bundle.json").read_bytes())
    models = [(folder / name).read_bytes() for name in facts["models"]]
    with open(pickle, "wb") as file:
        cloudpickle.dump(make_predict(facts, models), file)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
