"""Has the libraries of trees predict through the engine, in a model process.

A library is patched when the model imports it, and at once if it is imported already, as in a
worker of a fleet. No library is imported for that.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from numerai_predict.acceleration.accelerator import Accelerator

# The module of a library that holds its booster, and the adapter.
ADAPTERS = {
    "lightgbm.basic": "numerai_predict.acceleration.lightgbm_booster",
    "xgboost.core": "numerai_predict.acceleration.xgboost_booster",
    "catboost.core": "numerai_predict.acceleration.catboost_model",
}


def install(accelerator: Accelerator) -> None:
    """Patch every known library, now or as soon as it is imported."""
    missing = []
    for name in ADAPTERS:
        if name in sys.modules:
            _patch(sys.modules[name], accelerator)
        else:
            missing.append(name)
    if missing:
        sys.meta_path.insert(0, _Finder(missing, accelerator))


def _patch(module: ModuleType, accelerator: Accelerator) -> None:
    adapter: Any = importlib.import_module(ADAPTERS[module.__name__])
    adapter.patch(module, accelerator)


class _Finder:
    """Patches a module behind its own execution; finds it through the other finders."""

    def __init__(self, names: list[str], accelerator: Accelerator) -> None:
        self._names = set(names)
        self._accelerator = accelerator

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module to patch, with a loader that patches it; `None` for others."""
        if name not in self._names:
            return None
        self._names.discard(name)
        others = (each for each in sys.meta_path if each is not self)
        specs = (each.find_spec(name, path, target) for each in others)
        spec = next((each for each in specs if each is not None), None)
        if spec is not None and spec.loader is not None:
            self._patch_loader(spec.loader)
        return spec

    def _patch_loader(self, loader: Any) -> None:
        execute = loader.exec_module

        @functools.wraps(execute)
        def exec_module(module: ModuleType) -> None:
            execute(module)
            _patch(module, self._accelerator)

        loader.exec_module = exec_module


@functools.lru_cache(maxsize=1)
def shared_accelerator() -> Accelerator:
    """The accelerator of `predict`."""
    return Accelerator()


def library_of(model: Any) -> Any:
    """The adapter of a model's library; `None` where it is not known."""
    for name, adapter in ADAPTERS.items():
        if name in sys.modules:
            module = importlib.import_module(adapter)
            if module.owns(model):
                return module
    return None
