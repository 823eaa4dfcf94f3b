"""The environments that can run models, and the choice of one for each model."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from numerai_predict.contract.errors import PythonMismatch
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.compatibility import (
    CompatibilityLevel,
    compatibilities,
    flavour_rank,
)
from numerai_predict.inspection.images import supported_images
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.runner.container.engine import Engine

LOCAL = "local"


@dataclass(frozen=True, order=True)
class Environment:
    """A Python that runs models: a container image, or the local Python if `image` is `None`.

    `content` identifies its packages: an image that was built again may have others.
    """

    python: str
    flavour: str
    image: str | None = None
    content: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.image or f"the local Python {self.python}"

    @property
    def identity(self) -> str:
        """Its name and content as one text."""
        return f"{self.image or self.flavour} {self.python} {self.content}".rstrip()

    def matches(self, python: str | None, flavour: str | None) -> bool:
        """Whether it has this Python and this flavour, where they are given."""
        return python in (None, self.python) and flavour in (None, self.flavour)


def available_environments(engine: Engine | None) -> list[Environment]:
    """The images that the container engine has; without an engine, the local Python."""
    if engine is None:
        return [Environment(RUNNING_PYTHON, LOCAL, content=_local_content())]
    return [
        Environment(image.python, image.flavour, image.name, content)
        for image in supported_images()
        if (content := engine.image_id(image.name)) is not None
    ]


def _local_content() -> str:
    """Identifies the local Python's version and the versions of its packages."""
    folders = [Path(name) for name in sys.path if name and Path(name).is_dir()]
    packages = {path.name for folder in folders for path in folder.glob("*.dist-info")}
    names = "\n".join([platform.python_version(), *sorted(packages)])
    return hashlib.sha256(names.encode()).hexdigest()


def choose_environment(
    environments: Sequence[Environment],
    inspection: Inspection,
    python: str | None,
    flavour: str | None,
) -> Environment:
    """The environment for a model: the most compatible one of those that its row allows.

    If none is compatible, one of them all the same: the model's verdict says what is missing.
    Of equally compatible ones the newest Python wins, and the slim image before the full one;
    the full one if the model was not fully inspected.

    Raises:
        PythonMismatch: no environment has the Python and the flavour.
    """
    allowed = [each for each in environments if each.matches(python, flavour)]
    if not allowed:
        raise PythonMismatch(
            f"expected an environment of Python {python or 'any'} ({flavour or 'any flavour'}), "
            f"found {', '.join(map(str, environments)) or 'none'}",
            "build the image, or change python and flavour in the manifest",
        )
    if len(allowed) == 1:
        return allowed[0]
    ranks = {
        each.image.name: (each.level, len(each.reasons), flavour_rank(inspection, each.image))
        for each in compatibilities(inspection)
    }
    worst = (CompatibilityLevel.WRONG_PYTHON, 0, True)
    newest_first = sorted(allowed, key=lambda each: -int(each.python.rpartition(".")[2]))
    return min(newest_first, key=lambda each: ranks.get(each.image or "", worst))
