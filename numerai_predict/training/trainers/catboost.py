"""CatBoost: gradient boosting on oblivious trees.

Its library takes features as float32, all at once, before it bins them: four bytes a value. Where
these do not fit it is not tried. It chooses among its rounds when all are done.
"""

from __future__ import annotations

import importlib.metadata
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import catboost
import numpy as np

from numerai_predict.contract.limits import format_size
from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.data.era_table import HIGHEST
from numerai_predict.resources.memory import available_bytes
from numerai_predict.training.trainers.interface import TrainingObserver, TrainingRows
from numerai_predict.training.trainers.parameters import CatBoostSettings

_BYTES_A_VALUE = 6  # at the peak: float32, what is binned, and a block on its way
_FIXED = {
    "loss_function": "RMSE",
    "border_count": HIGHEST,
    "bootstrap_type": "Bernoulli",
    "boosting_type": "Plain",
}


class CatBoost:
    """CatBoost with fixed parameters on one device."""

    name: ClassVar[str] = "catboost"

    def __init__(self, settings: CatBoostSettings, device: str, threads: int) -> None:
        self.device = device
        self._settings = settings
        self._parameters = {**_FIXED, **settings.model_dump(), **_device_parameters(device)}
        self._parameters["thread_count"] = threads

    def facts(self) -> dict[str, Any]:
        """Parameters, device and version."""
        return {
            "parameters": {**_FIXED, **self._settings.model_dump()},
            "device": self.device,
            "versions": {"catboost": importlib.metadata.version("catboost")},
        }

    def works_on(self, device: str) -> str | None:
        """Why CatBoost does not run on a device; `None` if it does."""
        model = catboost.CatBoost(
            {
                "iterations": 1,
                "verbose": False,
                "allow_writing_files": False,
                **_device_parameters(device),
            }
        )
        try:
            model.fit(np.tile(np.arange(8.0)[:, None], 2), np.arange(8.0))
        except catboost.CatBoostError as error:
            return str(error).strip().splitlines()[-1]
        return None

    def load(self, rows: TrainingRows) -> Any:
        """The rows in CatBoost's bins.

        Raises:
            BadConfiguration: there is not enough memory on the way there.
        """
        _require_memory(len(rows.target) * len(rows.features) * _BYTES_A_VALUE)
        values = np.empty((len(rows.target), len(rows.features)), np.float32, order="F")
        first = 0
        for names, block in rows.column_blocks():
            values[:, first : first + len(names)] = block
            first += len(names)
        return catboost.Pool(values, rows.target, feature_names=list(rows.features))

    def fit(
        self, training: Any, stopping: Any | None, seed: int, rounds: int, watch: TrainingObserver
    ) -> bytes:
        """A model in CatBoost's binary form, without the time when it was made."""
        model = catboost.CatBoost(
            {
                **self._parameters,
                "random_seed": seed,
                "iterations": rounds,
                "verbose": False,
                "allow_writing_files": False,
            }
        )
        model.fit(training, callbacks=None if self.device == "gpu" else [_RoundCallback(watch)])
        if stopping is not None:
            for done, scores in enumerate(model.staged_predict(stopping), 1):
                if watch.after(done, lambda: scores):  # noqa: B023 - it is called at once
                    break
        if watch.chosen < model.tree_count_:
            model.shrink(watch.chosen)
        for name in ("train_finish_time", "model_guid"):
            model.get_metadata()[name] = ""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.cbm")
            model.save_model(str(path))
            return path.read_bytes()


def _device_parameters(device: str) -> dict[str, Any]:
    return {"task_type": "GPU", "rsm": None} if device == "gpu" else {"task_type": "CPU"}


def _require_memory(needed: int) -> None:
    available = available_bytes()
    if needed > available:
        raise BadConfiguration(
            f"expected {format_size(needed)} of free memory for CatBoost, which takes features as "
            f"float32, found {format_size(available)}",
            "choose a smaller feature set or fewer eras, or trainer: lightgbm",
        )


class _RoundCallback:
    """CatBoost's own callback, which tells that a round is done."""

    def __init__(self, watch: TrainingObserver) -> None:
        self._watch = watch

    def after_iteration(self, info: Any) -> bool:
        """Go on, whatever happens: the choice is made at the end."""
        self._watch.after(int(info.iteration), None)
        return True
