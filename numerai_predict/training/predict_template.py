"""The function that a bundle contains, and the program that pickles it in the bundle's Python.

It imports nothing from numerai_predict. As a program it reads a directory (`bundle.json`, a file
per model) and writes the pickle. The training uses the same functions for its own predictions.
"""

from __future__ import annotations

import json
import sys
import warnings
from math import fsum
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

_BATCH_ROWS, _HIGHEST = 8192, 4
# Of `limit_exposure`: shares of the limit, reached by a correlation in a step, by all in the end.
_TARGET, _MARGIN, _MAX_STEPS, _SHORTEST_ERA = 0.9, 0.999, 2000, 3
# Of `transform`: steps of normal quantiles, so that sums are exact; the smallest eigenvalue.
_GAUSSIAN_STEPS, _COLLINEAR, _ROUNDING = 2.0**20, 1e-10, 1e-9


def load_model(kind: str, body: bytes) -> Any:
    """The predict function of a stored model.

    It takes float32 features with shape (rows, features) and returns one number per row.
    """
    return loader_of(kind)(body)


def loader_of(kind: str) -> Any:
    """The function that loads models of this kind; the pickle contains only this loader."""
    loaders = {"lightgbm": load_lightgbm, "xgboost": load_xgboost, "catboost": load_catboost}
    if kind not in loaders:
        raise ValueError(f"expected lightgbm, xgboost or catboost, found {kind!r}")
    return loaders[kind]


def load_lightgbm(body: bytes) -> Any:
    """The predict function of a stored LightGBM model."""
    import lightgbm

    return lightgbm.Booster(model_str=body.decode()).predict


def load_xgboost(body: bytes) -> Any:
    """The predict function of a stored XGBoost model."""
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(body))
    return booster.inplace_predict


def load_catboost(body: bytes) -> Any:
    """The predict function of a stored CatBoost model."""
    import catboost

    return catboost.CatBoost().load_model(blob=body).predict


def predict_with(model: Any, features: Any, kind: Any = np.float32) -> Any:
    """The model's predictions, float64 with shape (rows,).

    `features` has shape (rows, features) and any numeric type; the model gets them as `kind`.
    """
    parts = [np.zeros(0)]
    for start in range(0, len(features), _BATCH_ROWS):
        batch = np.ascontiguousarray(features[start : start + _BATCH_ROWS], dtype=kind)
        parts.append(np.asarray(model(batch), dtype=np.float64).reshape(-1))
    return np.concatenate(parts)


def rank_in_unit_interval(values: Any) -> Any:
    """Ranks scaled into the open interval (0, 1); equal values have equal ranks."""
    return (pd.Series(values).rank().to_numpy() - 0.5) / len(values)


def has_values(benchmark: Any) -> bool:
    """Whether a benchmark has a value in any row; `None` has none."""
    return benchmark is not None and not np.isnan(benchmark).all()


def require_values(benchmark: Any) -> None:
    """Raise `ValueError` if a benchmark has no value in any row; `None` has none."""
    if not has_values(benchmark):
        raise ValueError("expected values of the benchmark model in each era, found an era without")


def combine(predictions: Any, benchmark: Any, share: float) -> Any:
    """Combine all models' predictions of one era: mean of ranks, neutralization, ranks.

    `predictions` has shape (models, rows), `benchmark` shape (rows,) or is `None`. Neutralization
    removes `share` of the projection on the ranked benchmark; rows without a value of it count as
    its mean; a benchmark without any is a `ValueError`. Sums are exact, so results are identical
    on every machine.
    """
    if share:
        require_values(benchmark)
    mean = sum(map(rank_in_unit_interval, predictions)) / len(predictions)
    if share:
        known = np.where(np.isnan(benchmark), np.nanmean(benchmark), benchmark)
        direction = rank_in_unit_interval(known) - 0.5
        slope = fsum((mean - 0.5) * direction) / max(fsum(direction * direction), 1e-12)
        mean = mean - share * slope * direction
    return rank_in_unit_interval(mean)


def rows_by_era(eras: Any) -> list[Any]:
    """The positions of the rows of each era; rows without an era are one era together."""
    numbers, _ = pd.factorize(np.asarray(eras, dtype=object), use_na_sentinel=False)
    return [np.flatnonzero(numbers == number) for number in np.unique(numbers)]


def limit_exposure(values: Any, features: Any, limit: Any) -> Any:
    """Predictions whose correlation with each feature is at most `limit`; `None` for no limit.

    `values` has shape (rows,), `features` shape (rows, features), of one era. The feature with the
    largest correlation is removed in part, then the result is ranked, until no one is above the
    limit. Sums are of integers below 2**53, so results are identical on every machine.
    """
    if limit is None or len(values) < _SHORTEST_ERA:
        return values
    columns = np.asarray(features, dtype=np.float64)
    columns = len(columns) * columns - columns.sum(axis=0)
    norms = np.sqrt((columns * columns).sum(axis=0))
    norms[norms == 0] = np.inf  # a constant feature has no correlation
    for _ in range(_MAX_STEPS):
        ranks = 2 * pd.Series(values).rank().to_numpy() - (len(values) + 1)
        products = ranks @ columns
        correlations = np.abs(products) / (np.sqrt((ranks * ranks).sum()) * norms)
        worst = int(np.argmax(correlations))
        if not correlations[worst] > _MARGIN * limit:
            break
        share = 1 - _TARGET * limit / correlations[worst]
        slope = products[worst] / (norms[worst] * norms[worst])
        values = ranks - share * slope * columns[:, worst]
    return rank_in_unit_interval(values)


def complete_ranks(benchmark: Any) -> Any:
    """The ranks of a benchmark's values around 0; rows without a value are in the middle: 0."""
    require_values(benchmark)
    ranks = pd.Series(benchmark).rank().to_numpy()
    return np.where(np.isnan(ranks), 0.0, 2 * ranks - (np.count_nonzero(~np.isnan(ranks)) + 1))


def scaled(values: Any, scale: str) -> Any:
    """Whole numbers around 0, shape (rows,): ranks, or with `gaussian` their normal quantiles."""
    ranks = pd.Series(values).rank().to_numpy()
    if scale == "rank":
        return 2 * ranks - (len(ranks) + 1)
    levels, indices = np.unique((ranks - 0.5) / len(ranks), return_inverse=True)
    quantiles = np.array([NormalDist().inv_cdf(level) for level in levels])
    return np.round(quantiles * _GAUSSIAN_STEPS)[indices.reshape(-1)]


def whole_numbers(columns: Any) -> Any:
    """Neutralizers as float64; what is not finite counts as the column's mean, rounded."""
    columns = np.array(columns, dtype=np.float64)
    unknown = ~np.isfinite(columns)
    known = np.where(unknown, 0.0, columns).sum(axis=0) / np.maximum((~unknown).sum(axis=0), 1)
    return np.where(unknown, np.round(known), columns)


def explained_part(values: Any, columns: Any) -> Any:
    """What a regression on the columns and a constant explains of the values, but for a constant.

    `values` has shape (rows,), `columns` shape (rows, neutralizers). Of whole numbers all sums are
    exact, so that the result does not depend on the order of the rows, and equal rows stay equal.
    """
    columns = columns[:, columns.min(axis=0) < columns.max(axis=0)]
    sums = columns.sum(axis=0)
    covariance = columns.T @ columns - np.outer(sums, sums) / len(values)
    norms = np.sqrt(np.diag(covariance))
    inverse = np.linalg.pinv(covariance / np.outer(norms, norms), _COLLINEAR, hermitian=True)
    slopes = inverse @ ((columns.T @ values - sums * values.mean()) / norms) / norms
    bound = np.abs(columns).max(axis=0) @ np.abs(slopes)
    step = np.ldexp(1.0, int(np.frexp(bound)[1]) - 52)
    return columns @ (np.round(slopes / step) * step)


def remaining(values: Any, columns: Any, share: float) -> Any:
    """The values less `share` of their explained part; as they are if nothing would remain."""
    if len(values) < _SHORTEST_ERA or not (columns.min(axis=0) < columns.max(axis=0)).any():
        return values
    part = explained_part(values, columns)
    nothing_remains = np.std(values - part) <= _ROUNDING * np.std(values)
    return values if nothing_remains else values - share * part


def transform(values: Any, benchmark: Any, neutralizers: Any, blend: dict[str, Any]) -> Any:
    """Predictions of one era, blended with the benchmark, then neutralized, then ranked.

    Neutralizers have shape (rows, columns). Rows without a value of the benchmark count as its
    middle; a benchmark without any is a `ValueError`.
    """
    weight, share, scale = blend["benchmark_weight"], blend["share"], blend["scale"]
    if not weight and not share:
        return values
    known: Any = complete_ranks(benchmark) if blend["uses_benchmark"] else None
    if weight:
        values = (1 - weight) * scaled(values, scale) + weight * scaled(known, scale)
    if share:
        columns = known[:, None] if blend["to_benchmark"] else neutralizers
        values = remaining(scaled(values, scale), whole_numbers(columns), share)
    return rank_in_unit_interval(values)


def final_predictions(
    predictions: Any, benchmark: Any, neutralizers: Any, features: Any, spec: dict[str, Any]
) -> Any:
    """The predictions of one era from those of all models: combined, transformed, limited."""
    values = combine(predictions, benchmark, spec["neutralize"])
    values = transform(values, benchmark, neutralizers, spec["blend"])
    return limit_exposure(values, features, spec["max_exposure"])


def predictions_by_era(
    eras: Any, predictions: Any, benchmark: Any, neutralizers: Any, features: Any, spec: Any
) -> Any:
    """As `final_predictions`, for each era separately; its rows need not be contiguous."""
    result = np.zeros(len(eras))
    for rows in rows_by_era(eras):
        known = None if benchmark is None else benchmark[rows]
        outputs = [each[rows] for each in predictions]
        result[rows] = final_predictions(outputs, known, neutralizers[rows], features[rows], spec)
    return result


def warn_of_unknown_values(names: list[str], features: Any) -> None:
    """Warn of values that the models were not trained on: others than 0 to 4, and NaN."""
    if features.dtype == object:  # the models refuse what is no number
        return
    with np.errstate(invalid="ignore"):
        unknown = ~((features >= 0) & (features <= _HIGHEST))
    if unknown.any():
        column = int(unknown.any(axis=0).argmax())
        value = features[unknown[:, column], column][0]
        warnings.warn(
            f"expected features from 0 to {_HIGHEST}, found {int(unknown.sum()):,} other values, "
            f"such as {value} in {names[column]}: the predictions of these rows mean little",
            stacklevel=2,
        )


def make_predict(spec: dict[str, Any], models: list[bytes]) -> Any:
    """The function to pickle: one argument, or two if it uses a benchmark."""
    features, load = spec["features"], loader_of(spec["kind"])
    benchmark, neutral = spec["benchmark"], spec["blend"]["features"]
    names = list(dict.fromkeys([*features, *neutral]))
    uses_benchmark = spec["neutralize"] or spec["blend"]["uses_benchmark"]

    def predict_all(live_features: Any, benchmark_values: Any) -> Any:
        missing = [name for name in names if name not in live_features.columns]
        if missing:
            raise ValueError(
                f"expected {len(names)} features, found {len(missing)} of them missing, such as "
                f"{', '.join(missing[:3])}: use the data version that the model was trained on"
            )
        values = live_features[features].to_numpy()
        warn_of_unknown_values(features, values)
        predictions = [predict_with(load(body), values) for body in models]
        eras = live_features["era"] if "era" in live_features else np.zeros(len(live_features))
        others = live_features[neutral].to_numpy()
        final = predictions_by_era(eras, predictions, benchmark_values, others, values, spec)
        return pd.DataFrame({"prediction": final}, index=live_features.index)

    def predict(live_features: Any) -> Any:
        return predict_all(live_features, None)

    def predict_with_benchmark(live_features: Any, live_benchmark_models: Any) -> Any:
        if benchmark not in live_benchmark_models:
            raise ValueError(f"expected the benchmark model {benchmark}, found no such column")
        column = live_benchmark_models[benchmark].reindex(live_features.index)
        if column.isna().all():
            raise ValueError(f"expected values of {benchmark} for these ids, found none")
        return predict_all(live_features, column.to_numpy(dtype=np.float64))

    chosen = predict_with_benchmark if uses_benchmark else predict
    chosen.__name__ = chosen.__qualname__ = "predict"
    return chosen


def pack(directory: Path, pickle: Path) -> None:
    """Write the pickle of the models in the directory."""
    import cloudpickle

    spec = json.loads((directory / "bundle.json").read_bytes())
    models = [(directory / name).read_bytes() for name in spec["models"]]
    with open(pickle, "wb") as file:
        cloudpickle.dump(make_predict(spec, models), file)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
