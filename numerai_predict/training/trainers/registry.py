"""Creates trainers by name; a library is imported only if its trainer is chosen."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from numerai_predict.contract.training_errors import BadConfiguration

if TYPE_CHECKING:
    from numerai_predict.training.trainers.interface import Trainer
    from numerai_predict.training.trainers.parameters import Section

# Class by trainer name; the module has the trainer's name.
_CLASSES = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}

TRAINER_NAMES = tuple(_CLASSES)


def make_trainer(name: str, section: Section, device: str, threads: int) -> tuple[Trainer, str]:
    """The trainer on `auto`, `cpu` or `gpu`, and why it runs on its device.

    Raises:
        BadConfiguration: the library is not installed, or the requested device does not work.
    """
    try:
        module = importlib.import_module(f"numerai_predict.training.trainers.{name}")
    except ModuleNotFoundError as error:
        raise BadConfiguration(
            f"expected the package {error.name} for the trainer {name}, found it not installed",
            "pip install 'numerai-predict[training]', or choose another trainer",
        ) from error
    trainer_class: Any = getattr(module, _CLASSES[name])
    if device == "cpu":
        return trainer_class(section, "cpu", threads), "on the CPU, as configured"
    failure = trainer_class(section, "cpu", threads).works_on("gpu")
    if failure is None:
        return trainer_class(section, "gpu", threads), "on the GPU"
    if device == "gpu":
        raise BadConfiguration(
            f"expected a GPU that {name} can use, found: {failure}",
            "set device: auto or cpu, or install a build of the library with GPU support",
        )
    return trainer_class(section, "cpu", threads), f"on the CPU, because no GPU works: {failure}"
