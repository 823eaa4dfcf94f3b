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
from numerai_predict.inspection.images import supported_images
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.image_choice import choose_available_image

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
    """The images that the container engine has, and the local Python."""
    images = supported_images() if engine is not None else ()
    return [
        *(
            Environment(image.python, image.flavour, image.name, content)
            for image in images
            if engine is not None and (content := engine.image_id(image.name)) is not None
        ),
        Environment(RUNNING_PYTHON, LOCAL, content=_local_content()),
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
    """The environment for a model, of those that its row allows: as `run` chooses it.

    That is the image that fits best, else the local Python, otherwise any allowed environment: the
    model's verdict says what is missing.

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
    by_image = {each.image: each for each in allowed}
    choice = choose_available_image(
        inspection,
        lambda image: image.name in by_image,
        lambda image: python in (None, image.python) and flavour in (None, image.flavour),
    )
    if choice.image is not None:
        return by_image[choice.image.name]
    newest_first = sorted(allowed, key=lambda each: -int(each.python.rpartition(".")[2]))
    return by_image.get(None) or newest_first[0]
