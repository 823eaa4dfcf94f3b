"""CatBoost: gradient boosting on oblivious trees.

The library needs all features as float32 before it bins them: four bytes per value. If they do not
fit into memory the training fails before it starts. The best number of rounds is chosen after all
rounds are trained.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any, ClassVar

import catboost
import numpy as np

from numerai_predict.contract.limits import format_size
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.data.era_table import HIGHEST
from numerai_predict.resources.memory import available_bytes
from numerai_predict.training.trainers.interface import TrainingObserver, TrainingRows
from numerai_predict.training.trainers.parameters import CatBoostSettings

_FIXED = {
    "loss_function": "RMSE",
    "border_count": HIGHEST,
    "bootstrap_type": "Bernoulli",
    "boosting_type": "Plain",
}


class CatBoost:
    """CatBoost with fixed parameters on one device."""

    name: ClassVar[str] = "catboost"
    # At the peak: float32, bins, and a block that is being copied.
    bytes_per_value: ClassVar[float] = 6.0

    def __init__(self, settings: CatBoostSettings, device: str, threads: int) -> None:
        self.device = device
        self._settings = settings
        self._parameters = {**_FIXED, **settings.model_dump(), **_device_parameters(device)}
        self._parameters["thread_count"] = threads

    def facts(self) -> dict[str, Any]:
        """Parameters, device, version, and the threads: its sums depend on their number."""
        return {
            "parameters": {**_FIXED, **self._settings.model_dump()},
            "threads": self._parameters["thread_count"],
            "device": self.device,
            "versions": {"catboost": importlib.metadata.version("catboost")},
        }

    def works_on(self, device: str) -> str | None:
        """Why CatBoost cannot run on the device; `None` if it can."""
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
        """The rows as a CatBoost pool.

        Raises:
            BadConfiguration: there is not enough free memory to create it.
        """
        _require_memory(int(len(rows.target) * len(rows.features) * self.bytes_per_value))
        values = np.empty((len(rows.target), len(rows.features)), np.float32, order="F")
        first = 0
        for names, block in rows.column_blocks():
            values[:, first : first + len(names)] = block
            first += len(names)
        return catboost.Pool(values, rows.target, feature_names=list(rows.features))

    def fit(
        self,
        training: Any,
        stopping: Any | None,
        seed: int,
        rounds: int,
        observer: TrainingObserver,
    ) -> bytes:
        """Train a model; CatBoost's binary format, without the time of the training."""
        model = catboost.CatBoost(
            {
                **self._parameters,
                "random_seed": seed,
                "iterations": rounds,
                "verbose": False,
                "allow_writing_files": False,
            }
        )
        model.fit(training, callbacks=None if self.device == "gpu" else [_RoundCallback(observer)])
        if stopping is not None:
            for finished, scores in enumerate(model.staged_predict(stopping), 1):
                if observer.after_round(finished, lambda: scores):  # noqa: B023 - called immediately
                    break
        if observer.best_rounds < model.tree_count_:
            model.shrink(observer.best_rounds)
        for name in ("train_finish_time", "model_guid"):
            model.get_metadata()[name] = ""
        with temporary_directory("numerai-catboost-") as folder:
            path = Path(folder, "model.cbm")
            model.save_model(str(path))
            return path.read_bytes()


def _device_parameters(device: str) -> dict[str, Any]:
    return {"task_type": "GPU", "rsm": None} if device == "gpu" else {"task_type": "CPU"}


def _require_memory(needed: int) -> None:
    available = available_bytes()
    if needed > available:
        raise BadConfiguration(
            f"expected {format_size(needed)} of free memory for CatBoost, which needs features as "
            f"float32, found {format_size(available)}",
            "choose a smaller feature set or fewer eras, or trainer: lightgbm",
        )


class _RoundCallback:
    """CatBoost's callback: reports finished rounds to the observer."""

    def __init__(self, observer: TrainingObserver) -> None:
        self._observer = observer

    def after_iteration(self, info: Any) -> bool:
        """Report the round; always continue: the best round is chosen at the end."""
        self._observer.after_round(int(info.iteration), None)
        return True
