"""LightGBM: gradient boosting on binned features.

Five values need four bits. LightGBM fills such a column by way of a second one of the same
size, and keeps both. So a data set is made of blocks of columns: a block that is added to
another is copied without its second half, and what stays takes half a byte a value.

Bins come from the five values themselves, not from a sample of rows: the same for all parts of
all data, and nothing of one era is known to another by them.
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

# What decides about bins is the same for every data set and booster.
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
    "force_col_wise": True,  # by rows there would be a second copy of all bins
}


class LightGBM:
    """LightGBM with fixed parameters on one device."""

    name: ClassVar[str] = "lightgbm"

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
        """Parameters, device and version; not the threads, which change nothing."""
        return {
            "parameters": {**_BINS, **_FIXED, **self._settings.model_dump()},
            "device": self.device,
            "versions": {"lightgbm": importlib.metadata.version("lightgbm")},
        }

    def works_on(self, device: str) -> str | None:
        """Why LightGBM does not run on a device; `None` if it does."""
        values = np.tile(np.arange(HIGHEST + 1.0)[:, None], (40, 2))
        data = lightgbm.Dataset(values, values[:, 0], params={"verbose": -1})
        try:
            lightgbm.train({"device_type": device, "verbose": -1, "min_data_in_leaf": 1}, data, 1)
        except lightgbm.basic.LightGBMError as error:
            return str(error).splitlines()[0]
        return None

    def load(self, rows: TrainingRows) -> Any:
        """The rows in bins of four bits."""
        whole: Any = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that raw data is not kept, as asked
            for names, block in rows.column_blocks():
                part = self._binned(names, block, rows.target)
                if whole is None:
                    whole = part
                else:
                    whole.add_features_from(part)
        return whole

    def fit(
        self,
        training: lightgbm.Dataset,
        stopping: lightgbm.Dataset | None,
        seed: int,
        rounds: int,
        watch: TrainingObserver,
    ) -> bytes:
        """A booster in LightGBM's own text, without its parameters: they name the threads."""
        booster = lightgbm.Booster({**self._parameters, **_seeds(seed)}, training)
        now: CurrentPredictions | None = None
        if stopping is not None:
            booster.add_valid(stopping, "stopping")
            now = lambda: _stopping_predictions(booster)  # noqa: E731
        for done in range(1, rounds + 1):
            finished = booster.update()
            if watch.after(done, now, last=finished) or finished:
                break
        text: str = booster.model_to_string(num_iteration=watch.chosen)
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
    """A seed for everything but the bins."""
    return {"bagging_seed": seed, "feature_fraction_seed": seed + 1, "objective_seed": seed + 2}


def _stopping_predictions(booster: lightgbm.Booster) -> NDArray[np.float64]:
    """The predictions of the data that were added, which LightGBM keeps up to date."""
    caught: list[NDArray[np.float64]] = []

    def catch(predictions: NDArray[np.float64], _: lightgbm.Dataset) -> tuple[str, float, bool]:
        caught.append(predictions)
        return "caught", 0.0, True

    booster.eval_valid(catch)
    return caught[0]


class _SilentLogger:
    """LightGBM's words: errors are raised, nothing else is of interest."""

    def info(self, words: str) -> None:
        """Say nothing."""

    def warning(self, words: str) -> None:
        """Say nothing."""
