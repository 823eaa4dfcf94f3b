"""The engine, and the libraries patched for one test."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from numerai_predict.acceleration import accelerator as accelerator_module
from numerai_predict.acceleration import interception
from numerai_predict.acceleration.accelerator import Accelerator
from numerai_predict.acceleration.engine import library


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """The compiled engine; `make setup` builds it."""
    assert library() is not None, "run: python -m numerai_predict.acceleration.build"


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Accelerator]:
    """The libraries predict through this one, whatever the size, until the test ends."""
    monkeypatch.setattr(accelerator_module, "engine_is_faster", lambda size: True)
    modules = [importlib.import_module(name) for name in interception.ADAPTERS]
    saved = [
        (each, name, value)
        for module in modules
        for each in vars(module).values()
        if inspect.isclass(each) and each.__module__ == module.__name__
        for name, value in vars(each).items()
        if inspect.isfunction(value)
    ]
    new = Accelerator()
    interception.install(new)
    yield new
    for owner, name, value in saved:
        setattr(owner, name, value)


def original(model: Any, data: Any, **arguments: Any) -> Any:
    """What the library itself predicts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accelerator_module, "library", lambda: None)
        return model.predict(data, **arguments)
