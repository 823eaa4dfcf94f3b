"""The models and live data of bench/trees.py, made on first use in `bench/.inputs/trees/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from inputs import FOLDER

ROWS, FEATURES = 6_500, 2_748
_FOLDER = FOLDER / "trees"

# Rows of random data that a model is trained on; its speed does not depend on what it learnt.
_TRAINING_ROWS = {"lightgbm-2000x31": 20_000, "lightgbm-20000x64": 4_000}


def live() -> np.ndarray:
    """Live data: int8 of five values, shape (6500, 2748)."""
    path = _FOLDER / "live.npy"
    if not path.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        np.save(path, _values(ROWS, seed=1))
    return np.asarray(np.load(path))


def model(name: str) -> Path:
    """A model's file, in its library's own format."""
    suffix = {"lightgbm": "txt", "xgboost": "ubj", "catboost": "cbm"}[name.partition("-")[0]]
    path = _FOLDER / f"{name}.{suffix}"
    if not path.exists():
        print(f"training {name}, once: some minutes", flush=True)
        _FOLDER.mkdir(parents=True, exist_ok=True)
        trees, size = map(int, name.partition("-")[2].split("x"))
        rows = _TRAINING_ROWS.get(name, 2_000)
        x, y = _values(rows, seed=0), np.random.default_rng(2).random(rows)
        _TRAIN[name.partition("-")[0]](x, y, trees, size).save_model(path)
    return path


def _values(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 5, (rows, FEATURES)).astype(np.int8)


def _lightgbm(x: np.ndarray, y: np.ndarray, trees: int, leaves: int) -> Any:
    import lightgbm

    settings = {"num_leaves": leaves, "feature_fraction": 0.1, "learning_rate": 0.01}
    return lightgbm.train({**settings, "verbosity": -1}, lightgbm.Dataset(x, y), trees)


def _xgboost(x: np.ndarray, y: np.ndarray, trees: int, depth: int) -> Any:
    import xgboost

    settings = {"max_depth": depth, "eta": 0.01, "colsample_bytree": 0.05, "max_bin": 5}
    return xgboost.train(settings, xgboost.DMatrix(x.astype(np.float32), y), trees)


def _catboost(x: np.ndarray, y: np.ndarray, trees: int, depth: int) -> Any:
    import catboost

    model = catboost.CatBoostRegressor(
        iterations=trees, depth=depth, rsm=0.05, border_count=8, verbose=0, learning_rate=0.02
    )
    return model.fit(x, y)


_TRAIN = {"lightgbm": _lightgbm, "xgboost": _xgboost, "catboost": _catboost}
