"""Chooses where a model runs: in the image that fits it, or in the local Python."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.compatibility import CompatibilityLevel, ranked_images
from numerai_predict.inspection.images import Image
from numerai_predict.inspection.inspect import Inspection, inspect_pickle
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.image_choice import choose_available_image


@dataclass(frozen=True)
class LocalPython:
    """The Python that runs this, and why no image was chosen."""

    reason: str
    python: str = RUNNING_PYTHON

    def __str__(self) -> str:
        return f"the local Python {platform.python_version()}"

    @property
    def announcement(self) -> str:
        """The line that announces the run to the user."""
        return f"Running in {self}: {self.reason}"


@dataclass(frozen=True)
class ContainerImage:
    """An image, and the engine that has it."""

    engine: Engine
    image: Image

    @property
    def python(self) -> str:
        """The image's Python, like `3.12`."""
        return self.image.python

    def __str__(self) -> str:
        return f"the image {self.image.name}"

    @property
    def announcement(self) -> str:
        """The line that announces the run to the user."""
        return f"Running in {self}"


ExecutionTarget: TypeAlias = LocalPython | ContainerImage


def choose_target(model: str, build: Callable[[Image], bool] | None = None) -> ExecutionTarget:
    """The image that fits the pickle best if a container engine works, else the local Python.

    If the engine lacks the image, `build` is called; it returns whether it built the image.
    """
    engine = Engine.detect(os.environ)
    if engine is None:
        return LocalPython("no container engine is available")
    try:
        inspection = inspect_pickle(model)
    except InvalidPickle:
        return LocalPython("the model is not a pickle from which an image could be chosen")
    except OSError:  # a URL, a directory, or nothing: what runs the model fetches or rejects it
        return LocalPython("the model is not a local file from which an image could be chosen")
    choice = choose_available_image(inspection, lambda image: engine.has_image(image.name))
    image = choice.image
    if image is None and choice.missing and build is not None and build(choice.missing):
        image = choice.missing
    return LocalPython(choice.reason) if image is None else ContainerImage(engine, image)


def image_of_python(inspection: Inspection, python: str) -> ContainerImage | None:
    """The best image of this Python that has what the pickle needs, of those of the engine."""
    engine = Engine.detect(os.environ)
    if engine is None:
        return None
    fitting = (
        each.image
        for each in ranked_images(inspection)
        if each.image.python == python and each.level < CompatibilityLevel.LACKS
    )
    found = next((image for image in fitting if engine.has_image(image.name)), None)
    return ContainerImage(engine, found) if found else None
