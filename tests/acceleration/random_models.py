"""Small random models of every kind that the libraries make, and data with all they may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

ROWS = 700  # more than a block of the engine, and more than its sample


@dataclass(frozen=True)
class Case:
    """A trained model, data to predict and the arguments of the call."""

    model: Any
    data: Any
    arguments: dict[str, Any]
    description: str


def features(random: np.random.Generator, rows: int, columns: int, kind: str) -> np.ndarray:
    """Values of a type: int8 of five values, or floats with NaN, zeros, ties and tiny values."""
    if kind == "int8":
        return random.integers(-1, 5, (rows, columns)).astype(np.int8)
    values = random.normal(size=(rows, columns))
    values[random.random(values.shape) < 0.2] = 0.0
    tied = random.random(values.shape) < 0.3
    values[tied] = np.round(values[tied], 1)
    if random.random() < 0.6:
        values[random.random(values.shape) < 0.15] = np.nan
    if random.random() < 0.3:
        values[random.random(values.shape) < 0.02] = 1e-36
        values[random.random(values.shape) < 0.02] = -0.0
    if random.random() < 0.2:
        values[random.random(values.shape) < 0.01] = np.inf
    return values.astype(np.float32 if kind == "float32" else np.float64)


_OBJECTIVES = (
    *("regression", "regression", "regression", "regression_l1", "huber", "fair", "quantile"),
    *("mape", "poisson", "gamma", "tweedie", "binary", "cross_entropy", "cross_entropy_lambda"),
    *("multiclass", "multiclassova"),
)


def lightgbm_case(seed: int) -> Case:
    """A LightGBM model of a random kind."""
    import lightgbm

    random = np.random.default_rng(seed)
    kind = str(random.choice(["int8", "float32", "float64"]))
    columns = int(random.integers(2, 30))
    train = features(random, 500, columns, kind)
    objective = str(random.choice(_OBJECTIVES))
    settings: dict[str, Any] = {
        "objective": objective,
        "boosting": str(random.choice(["gbdt", "gbdt", "dart", "rf"])),
        "num_leaves": int(random.choice([2, 3, 8, 31, 100, 300])),
        "min_data_in_leaf": int(random.choice([1, 5, 20])),
        "min_sum_hessian_in_leaf": 0.0,
        "use_missing": bool(random.random() < 0.8),
        "zero_as_missing": False,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction": 0.8,
        "seed": seed,
        "verbosity": -1,
        "num_threads": 1,
        "reg_sqrt": bool(random.random() < 0.2),
        "linear_tree": kind != "int8" and bool(random.random() < 0.2),
    }
    settings["zero_as_missing"] = not settings["linear_tree"] and bool(random.random() < 0.3)
    if settings["linear_tree"]:
        settings["boosting"] = "gbdt"
        if objective == "regression_l1":
            settings["objective"] = "regression"
    settings["num_class"] = 3 if objective.startswith("multiclass") else 1
    categories: list[int] = []
    if not settings["linear_tree"] and random.random() < 0.4:
        categories = [0, columns - 1]
        for column in categories:
            train[:, column] = random.integers(0, 40, len(train))
    target = _target(random, train, settings["objective"])
    dataset = lightgbm.Dataset(train, target, categorical_feature=categories or "auto")
    booster = lightgbm.train(settings, dataset, int(random.integers(1, 60)))
    data: Any = features(random, ROWS, columns, kind)
    for column in categories:
        data[:, column] = random.integers(-3, 70, len(data))
    if random.random() < 0.5:
        data = pd.DataFrame(data)
    elif random.random() < 0.5:
        data = np.asfortranarray(data)
    return Case(booster, data, _arguments(random, booster), f"lightgbm {seed} {settings}")


def _target(random: np.random.Generator, train: np.ndarray, objective: str) -> np.ndarray:
    value = np.nan_to_num(train[:, 0].astype(float), posinf=3, neginf=-3)
    value = value + random.normal(size=len(train)) * 0.5
    if objective.startswith("multiclass"):
        return random.integers(0, 3, len(train))
    if objective == "binary":
        return (value > np.median(value)).astype(float)
    if objective in ("poisson", "gamma", "tweedie"):
        return np.abs(value) + 0.1
    return np.asarray((value - value.min()) / (np.ptp(value) or 1.0))


def _arguments(random: np.random.Generator, booster: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"num_threads": int(random.integers(1, 3))}
    if random.random() < 0.3:
        arguments["raw_score"] = True
    if random.random() < 0.3:
        arguments["num_iteration"] = int(random.integers(1, booster.current_iteration() + 2))
    if random.random() < 0.2:
        arguments["start_iteration"] = int(random.integers(0, booster.current_iteration()))
    return arguments


def xgboost_case(seed: int) -> Case:
    """A model of XGBoost's scikit-learn interface, of a random kind."""
    import xgboost

    random = np.random.default_rng(seed)
    kind = str(random.choice(["int8", "float32", "float64"]))
    columns = int(random.integers(2, 30))
    train = features(random, 500, columns, kind)
    train[np.isinf(train.astype(float))] = 0
    choices = ("reg:squarederror", "reg:squarederror", "reg:pseudohubererror", "reg:absoluteerror")
    settings: dict[str, Any] = {
        "objective": str(random.choice([*choices, "binary:logistic"])),
        "booster": str(random.choice(["gbtree", "gbtree", "gbtree", "dart"])),
        "max_depth": int(random.choice([1, 3, 5, 8])),
        "n_estimators": int(random.integers(1, 60)),
        "learning_rate": 0.3,
        "gamma": float(random.choice([0.0, 0.1])),  # prunes
        "subsample": 0.8,
        "num_parallel_tree": int(random.choice([1, 1, 3])),
        "tree_method": str(random.choice(["hist", "exact", "approx"])),
        "grow_policy": str(random.choice(["depthwise", "lossguide"])),
        "random_state": seed,
        "n_jobs": 1,
    }
    if settings["tree_method"] == "exact":
        del settings["grow_policy"]
    target = _target(random, train, "binary" if "binary" in settings["objective"] else "")
    model = xgboost.XGBRegressor(**settings)
    model.fit(train, target)
    data: Any = features(random, ROWS, columns, kind)
    data[np.isinf(data.astype(float))] = 0
    arguments: dict[str, Any] = {}
    if random.random() < 0.3:
        arguments["iteration_range"] = (0, int(random.integers(1, settings["n_estimators"] + 1)))
    if random.random() < 0.5:
        data = pd.DataFrame(data, columns=model.get_booster().feature_names)
    return Case(model, data, arguments, f"xgboost {seed} {settings}")


def catboost_case(seed: int) -> Case:
    """A CatBoost model of a random kind."""
    import catboost

    random = np.random.default_rng(seed)
    kind = str(random.choice(["int8", "float32", "float64"]))
    columns = int(random.integers(2, 30))
    train = np.nan_to_num(features(random, 500, columns, kind), posinf=9, neginf=-9)
    settings: dict[str, Any] = {
        "iterations": int(random.integers(1, 60)),
        "depth": int(random.choice([1, 3, 6, 9])),
        "grow_policy": str(random.choice(["SymmetricTree"] * 4 + ["Lossguide", "Depthwise"])),
        "loss_function": str(random.choice(["RMSE", "RMSE", "MAE", "Quantile", "RMSE", "Poisson"])),
        "boost_from_average": bool(random.random() < 0.5),
        "random_seed": seed,
        "thread_count": 1,
        "verbose": 0,
        "allow_writing_files": False,
    }
    if settings["loss_function"] == "Poisson":
        settings["boost_from_average"] = False
    target = _target(random, train, "poisson")
    model = catboost.CatBoostRegressor(**settings).fit(train, target)
    data: Any = features(random, ROWS, columns, kind)
    if random.random() < 0.8:
        data = np.nan_to_num(data, posinf=9, neginf=-9)
    if random.random() < 0.5:
        data = pd.DataFrame(data)
    elif random.random() < 0.5:
        data = np.asfortranarray(data)
    return Case(model, data, {"thread_count": 1}, f"catboost {seed} {settings}")


CASES = {"lightgbm": lightgbm_case, "xgboost": xgboost_case, "catboost": catboost_case}
