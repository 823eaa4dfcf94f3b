"""Calls of a library's method of prediction, which go through the accelerator."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from numerai_predict.acceleration.accelerator import Accelerator, TreeCall

# Makes the call from the library's method and its arguments; raises `NotSupported`.
Understand = Callable[[Any, inspect.BoundArguments], TreeCall]


def intercept(
    accelerator: Accelerator, name: str, booster_class: Any, method: str, understand: Understand
) -> None:
    """Have a method of a library's class predict through the accelerator."""
    original = getattr(booster_class, method)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def predict(*args: Any, **kwargs: Any) -> Any:
        return accelerator.predict(
            name,
            lambda: understand(original, signature.bind(*args, **kwargs)),
            lambda: original(*args, **kwargs),
        )

    setattr(booster_class, method, predict)


def call_method(
    accelerator: Accelerator, name: str, method: str, understand: Understand, *arguments: Any
) -> Any:
    """What an intercepted method returns for these arguments, of which the booster is the first."""
    original = inspect.unwrap(getattr(type(arguments[0]), method))
    bound = inspect.signature(original).bind(*arguments)
    return accelerator.predict(
        name, lambda: understand(original, bound), lambda: original(*arguments)
    )


def booster_of(model: Any, module: str) -> Any:
    """The `Booster` of a library's module that the model is or wraps; `None` if it is none."""
    library = sys.modules.get(module)
    if library is None:
        return None
    booster = getattr(model, "_Booster", model)
    return booster if isinstance(booster, library.Booster) else None
