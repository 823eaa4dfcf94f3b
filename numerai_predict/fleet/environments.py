"""Where models run: the images that an engine has here, or this Python where none answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.compatibility import CompatibilityLevel, compatibilities
from numerai_predict.inspection.images import FULL, supported_images
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.runner.container.engine import Engine

LOCAL = "local"


@dataclass(frozen=True, order=True)
class Environment:
    """A kind of worker: a Python, and the image that has it; `None` for this machine's own."""

    python: str
    flavour: str
    image: str | None = None

    def __str__(self) -> str:
        return self.image or f"the local Python {self.python}"


def available_environments(engine: Engine | None) -> list[Environment]:
    """What can run models here: the images that the engine has, else this Python alone."""
    if engine is None:
        return [Environment(RUNNING_PYTHON, LOCAL)]
    return [
        Environment(image.python, image.flavour, image.name)
        for image in supported_images()
        if engine.has_image(image.name)
    ]


def choose(
    places: Sequence[Environment],
    inspection: Inspection | None,
    python: str | None,
    flavour: str | None,
) -> Environment | None:
    """The place for a model: what its row asks for, else the one that its inspection fits best.

    Where nothing fits, the first place: its verdict says what is missing. `None` where
    there is no such place.
    """
    asked = [
        place
        for place in places
        if python in (None, place.python) and flavour in (None, place.flavour)
    ]
    if len(asked) <= 1 or inspection is None:
        return asked[0] if asked else None
    ranks = {
        outcome.image.name: (outcome.level, len(outcome.reasons), outcome.image.flavour == FULL)
        for outcome in compatibilities(inspection)
    }
    newest_first = sorted(asked, key=lambda place: -int(place.python.rpartition(".")[2]))
    worst = (CompatibilityLevel.WRONG_PYTHON, 0, True)
    return min(newest_first, key=lambda place: ranks.get(place.image or "", worst))
