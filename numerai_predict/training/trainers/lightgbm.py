"""LightGBM: gradient boosting on binned features.

Five values need four bits. LightGBM fills such a column through a second buffer of the same
size, and keeps both. Therefore a data set is assembled from blocks of columns: a block that is
added to another is copied without its second buffer, so the result takes half a byte per value.

Bins are made from the five values, not from a sample of rows: they are the same for all parts of
the data, and leak nothing from one era to another.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from typing import Any, ClassVar

import lightgbm
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from numerai_predict.data.era_table import HIGHEST
from numerai_predict.training.trainers.interface import (
    CurrentPredictions,
    TrainingObserver,
    TrainingRows,
)
from numerai_predict.training.trainers.parameters import LightGBMSettings

# Binning parameters: identical for every data set and booster.
_BINS = {
    "max_bin": 15,
    "min_data_in_bin": 1,
    "enable_bundle": False,
    "feature_pre_filter": False,
    "data_random_seed": 1,
    "verbose": -1,
}
_FIXED = {
    "objective": "regression",
    "metric": "None",
    "deterministic": True,
    "force_col_wise": True,  # row-wise training would need a second copy of all bins
}


class LightGBM:
    """LightGBM with fixed parameters on one device."""

    name: ClassVar[str] = "lightgbm"
    bytes_per_value: ClassVar[float] = 0.6

    def __init__(self, settings: LightGBMSettings, device: str, threads: int) -> None:
        self.device = device
        self._settings = settings
        self._parameters = {
            **_BINS,
            **_FIXED,
            **settings.model_dump(),
            "num_threads": threads,
            "device_type": device,
        }
        lightgbm.register_logger(_SilentLogger())

    def facts(self) -> dict[str, Any]:
        """Parameters, device and version; not the threads, which do not change results."""
        return {
            "parameters": {**_BINS, **_FIXED, **self._settings.model_dump()},
            "device": self.device,
            "versions": {"lightgbm": importlib.metadata.version("lightgbm")},
        }

    def works_on(self, device: str) -> str | None:
        """Why LightGBM cannot run on the device; `None` if it can."""
        values = np.tile(np.arange(HIGHEST + 1.0)[:, None], (40, 2))
        data = lightgbm.Dataset(values, values[:, 0], params={"verbose": -1})
        try:
            lightgbm.train({"device_type": device, "verbose": -1, "min_data_in_leaf": 1}, data, 1)
        except lightgbm.basic.LightGBMError as error:
            return str(error).splitlines()[0]
        return None

    def load(self, rows: TrainingRows) -> Any:
        """The rows as a LightGBM data set with bins of four bits."""
        dataset: Any = None
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # it says that raw data is not kept, as intended
            for names, block in rows.column_blocks():
                part = self._binned(names, block, rows.target)
                if dataset is None:
                    dataset = part
                else:
                    dataset.add_features_from(part)
        return dataset

    def fit(
        self,
        training: lightgbm.Dataset,
        stopping: lightgbm.Dataset | None,
        seed: int,
        rounds: int,
        observer: TrainingObserver,
    ) -> bytes:
        """Train a booster; its text format without parameters, which contain the thread count."""
        booster = lightgbm.Booster({**self._parameters, **_seeds(seed)}, training)
        predict: CurrentPredictions | None = None
        if stopping is not None:
            booster.add_valid(stopping, "stopping")
            predict = lambda: _stopping_predictions(booster)  # noqa: E731
        for finished in range(1, rounds + 1):
            is_last = booster.update()
            if observer.after_round(finished, predict, last=is_last) or is_last:
                break
        text: str = booster.model_to_string(num_iteration=observer.best_rounds)
        return text.partition("\nparameters:\n")[0].encode()

    def _binned(
        self, names: list[str], block: NDArray[np.int8], target: NDArray[np.float32]
    ) -> lightgbm.Dataset:
        values = np.repeat(np.arange(HIGHEST + 1.0)[:, None], len(names), axis=1)
        bins = lightgbm.Dataset(values, values[:, 0], params=self._parameters, feature_name=names)
        columns = [pa.array(block[:, number]) for number in range(len(names))]
        return lightgbm.Dataset(
            pa.table(columns, names=names),
            target,
            reference=bins.construct(),
            params=self._parameters,
            feature_name=names,
        ).construct()


def _seeds(seed: int) -> dict[str, int]:
    """The seeds of everything except binning."""
    return {"bagging_seed": seed, "feature_fraction_seed": seed + 1, "objective_seed": seed + 2}


def _stopping_predictions(booster: lightgbm.Booster) -> NDArray[np.float64]:
    """The current predictions of the stopping rows, which LightGBM maintains.

    Shape (rows,).
    """
    caught: list[NDArray[np.float64]] = []

    def catch(predictions: NDArray[np.float64], _: lightgbm.Dataset) -> tuple[str, float, bool]:
        caught.append(predictions)
        return "caught", 0.0, True

    booster.eval_valid(catch)
    return caught[0]


class _SilentLogger:
    """A logger that discards messages; errors are raised anyway."""

    def info(self, message: str) -> None:
        """Discard the message."""

    def warning(self, message: str) -> None:
        """Discard the message."""
