"""XGBoost: gradient boosting by histograms, with data streamed into one byte per value."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import xgboost
from numpy.typing import NDArray

from numerai_predict.data.era_table import HIGHEST
from numerai_predict.training.trainers.interface import (
    CurrentPredictions,
    TrainingObserver,
    TrainingRows,
)
from numerai_predict.training.trainers.parameters import XGBoostSettings

_ROWS_AT_ONCE = 8192
_BINS = HIGHEST + 1
_FIXED = {"objective": "reg:squarederror", "tree_method": "hist", "max_bin": _BINS, "verbosity": 0}


class XGBoost:
    """XGBoost with fixed parameters on one device."""

    name: ClassVar[str] = "xgboost"
    bytes_per_value: ClassVar[float] = 2.6

    def __init__(self, settings: XGBoostSettings, device: str, threads: int) -> None:
        self.device = device
        self._settings = settings
        self._threads = threads
        self._parameters = {
            **_FIXED,
            **settings.model_dump(),
            "nthread": threads,
            "device": _device_name(device),
        }

    def facts(self) -> dict[str, Any]:
        """Parameters, device and version."""
        return {
            "parameters": {**_FIXED, **self._settings.model_dump()},
            "device": self.device,
            "versions": {"xgboost": _version()},
        }

    def works_on(self, device: str) -> str | None:
        """Why XGBoost cannot run on the device; `None` if it can."""
        if device == "gpu" and not xgboost.build_info().get("USE_CUDA"):
            return "this XGBoost was built without CUDA"
        try:
            matrix_data = xgboost.DMatrix(np.eye(4), np.arange(4.0))
            xgboost.train({"device": _device_name(device), "verbosity": 0}, matrix_data, 1)
        except xgboost.core.XGBoostError as error:
            return str(error).strip().splitlines()[0]
        return None

    def load(self, rows: TrainingRows) -> Callable[[Any], Any]:
        """Creates the rows' matrix when called with the matrix that has the bins, or `None`."""

        def create(reference: Any) -> Any:
            batches = _BatchIterator(rows)
            return xgboost.QuantileDMatrix(
                batches, max_bin=_BINS, ref=reference, nthread=self._threads
            )

        return _LazyMatrix(create)

    def fit(
        self,
        training: Any,
        stopping: Any | None,
        seed: int,
        rounds: int,
        observer: TrainingObserver,
    ) -> bytes:
        """Train a booster; XGBoost's binary JSON format."""
        matrix_data = training(None)
        stopping_matrix = None if stopping is None else stopping(matrix_data)
        cache = [matrix_data] if stopping_matrix is None else [matrix_data, stopping_matrix]
        booster = xgboost.Booster({**self._parameters, "seed": seed}, cache)
        predict: CurrentPredictions | None = None
        if stopping_matrix is not None:
            predict = lambda: booster.predict(stopping_matrix).astype(np.float64)  # noqa: E731
        for finished in range(rounds):
            booster.update(matrix_data, finished)
            if observer.after_round(finished + 1, predict):
                break
        return bytes(booster[: observer.best_rounds].save_raw("ubj"))


def _version() -> str:
    for package in ("xgboost", "xgboost-cpu"):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return str(xgboost.__version__)


def _device_name(device: str) -> str:
    return "cuda" if device == "gpu" else "cpu"


class _LazyMatrix:
    """A matrix that is created at the first call and then reused."""

    def __init__(self, create: Callable[[Any], Any]) -> None:
        self._create = create
        self._matrix: Any = None

    def __call__(self, reference: Any) -> Any:
        if self._matrix is None:
            self._matrix = self._create(reference)
        return self._matrix


class _BatchIterator(xgboost.DataIter):
    """Iterates over the rows in batches; XGBoost iterates several times."""

    def __init__(self, rows: TrainingRows) -> None:
        self._rows = rows
        self._batches = self._read()
        super().__init__(release_data=True)

    def reset(self) -> None:
        """Restart at the first batch."""
        self._batches = self._read()

    def next(self, input_data: Callable[..., None]) -> bool:
        """Pass the next batch to XGBoost; returns whether there was one."""
        for features, target in self._batches:
            input_data(data=features, label=target, feature_names=list(self._rows.features))
            return True
        return False

    def _read(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        for rows, block in self._rows.row_blocks():
            target = self._rows.target[rows]
            for start in range(0, len(block), _ROWS_AT_ONCE):
                part = slice(start, start + _ROWS_AT_ONCE)
                yield np.ascontiguousarray(block[part], dtype=np.float32), target[part]
