"""The trainers by their names. A library is imported when its trainer is chosen."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from numerai_predict.contract.training_errors import BadConfiguration

if TYPE_CHECKING:
    from numerai_predict.training.trainers.interface import Trainer
    from numerai_predict.training.trainers.parameters import Section

# The class of each, in the module of its name.
_CLASSES = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}

TRAINER_NAMES = tuple(_CLASSES)


def make_trainer(name: str, section: Section, device: str, threads: int) -> tuple[Trainer, str]:
    """The trainer on `auto`, `cpu` or `gpu`, and why it is where it is.

    Raises:
        BadConfiguration: the library is not here, or the device that was asked for does not work.
    """
    try:
        module = importlib.import_module(f"numerai_predict.training.trainers.{name}")
    except ModuleNotFoundError as error:
        raise BadConfiguration(
            f"expected the package {error.name} for the trainer {name}, found none",
            "pip install 'numerai-predict[training]', or choose another trainer",
        ) from error
    made: Any = getattr(module, _CLASSES[name])
    if device == "cpu":
        return made(section, "cpu", threads), "on the CPU, as asked for"
    trouble = made(section, "cpu", threads).works_on("gpu")
    if trouble is None:
        return made(section, "gpu", threads), "on the GPU"
    if device == "gpu":
        raise BadConfiguration(
            f"expected a GPU that {name} can use, found: {trouble}",
            "set device: auto or cpu, or install a build of the library that has the GPU in it",
        )
    return made(section, "cpu", threads), f"on the CPU, as no GPU works: {trouble}"
