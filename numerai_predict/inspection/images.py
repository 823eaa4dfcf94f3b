"""The supported images and their packages, from the lock files of the images."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from numerai_predict.contract.container_run import BindMount, ContainerRun
from numerai_predict.inspection.bytecode.opcode_tables import tables

FULL, SLIM = "full", "slim"
_FILE = files("numerai_predict.inspection") / "data/images.json"

# The image name; images/build uses the same.
_IMAGE_NAME = "numerai_predict_py_{python}:latest{suffix}"

# Placeholders for what the shell inserts when the printed command runs; no path contains them.
_PWD, _USER = "\0PWD", "\0USER"
_SHELL = {_PWD: '"$PWD"', _USER: '"$(id -u):$(id -g)"'}

# Every image contains this package itself, which is in no lock file.
_OWN_MODULES = {"numerai_predict"}


@dataclass(frozen=True)
class Image:
    """An image: its Python, flavour (`slim` or `full`), and packages with their versions."""

    python: str
    flavour: str
    packages: dict[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The image's name for the container engine."""
        suffix = "" if self.flavour == FULL else f"-{self.flavour}"
        return _IMAGE_NAME.format(python=self.python.replace(".", "_"), suffix=suffix)

    @property
    def build_command(self) -> str:
        """The command that builds it, in a clone of the repository."""
        return f"make build_{self.flavour}_{self.python.replace('.', '_')}"

    def command(self, model: str, data: Mapping[str, str] | None = None) -> str:
        """The shell command that runs the model in this image from the current directory.

        `model` is a path or URL, `data` further options with a path or URL each.
        """
        options = {"--model": model, **(data or {})}
        directories = filter(None, map(_outside_directory, options.values()))
        current = _mountable_pwd(Path.cwd())
        container = ContainerRun(
            self.name,
            (*itertools.chain(*options.items()), "--output_dir", current),
            mounts=(BindMount(current, read_only=False), *map(BindMount, directories)),
            user=_USER,
            network=True,
            working_directory=current,
        )
        return " ".join(map(_shell_argument, container.argv("docker")))

    def has(self, module: str) -> bool:
        """Whether the image has the module or the package that contains it."""
        top = module.partition(".")[0]
        package = package_of(top)
        return (
            package in self.packages or top in _standard_library(self.python) or top in _OWN_MODULES
        )

    def version(self, module: str) -> str | None:
        """The version of the package that provides the module; `None` if the image lacks it."""
        return self.packages.get(package_of(module.partition(".")[0]) or "")


def _mountable_pwd(current: Path) -> str:
    """The placeholder of the current directory, or its path if a mount has to quote it."""
    return str(current) if set(str(current)) & set(',"\r\n') else _PWD


def _shell_argument(argument: str) -> str:
    """The argument quoted for a shell, which replaces the placeholders."""
    parts = re.split(f"({_PWD}|{_USER})", argument)
    return "".join(_SHELL.get(part) or shlex.quote(part) for part in parts if part) or "''"


def _outside_directory(source: str) -> str | None:
    """The directory of a file outside the current directory; `None` for others and URLs."""
    path = os.path.abspath(source)  # noqa: PTH100 - normalizes `..` without resolving links
    is_visible = "://" in source or Path(path).is_relative_to(Path.cwd())
    return None if is_visible else str(Path(path).parent)


@functools.cache
def supported_images() -> tuple[Image, ...]:
    """All images, ordered by Python, oldest first, and for each the slim before the full one."""
    images = []
    for python, packages in _image_data().images.items():
        images.append(Image(python, SLIM, packages[SLIM]))
        images.append(Image(python, FULL, {**packages[SLIM], **packages[FULL]}))
    return tuple(images)


def supported_pythons() -> tuple[str, ...]:
    """The Python versions that have images, oldest first."""
    return tuple(_image_data().images)


def package_of(module: str) -> str | None:
    """The package that provides a top-level module; `None` if no image has it."""
    return _image_data().imports.get(module)


def hosted_package(python: str, module: str) -> str | None:
    """The package that has the module in the hosted environment and is in no image of the Python.

    `None` if there is none: then the images have the module, or the hosted environment lacks it.
    """
    return _image_data().left_out.get(python, {}).get(module.partition(".")[0])


def newest_python_with(module: str) -> str | None:
    """The newest Python that has an image with the module; `None` if there is none."""
    having = [image.python for image in supported_images() if image.has(module)]
    return having[-1] if having else None


def is_known(module: str) -> bool:
    """Whether the module is in any image or any Python's standard library."""
    return any(image.has(module) for image in supported_images())


def is_standard(module: str) -> bool:
    """Whether the module is in the standard library of every supported Python."""
    top = module.partition(".")[0]
    return all(top in _standard_library(python) for python in supported_pythons())


@functools.cache
def _standard_library(python: str) -> frozenset[str]:
    return next((t.standard_library for t in tables() if t.python == python), frozenset())


@dataclass(frozen=True)
class _ImageData:
    """`imports`: package by import name; `images`: package versions by Python and flavour.

    `left_out`: by Python and module, the package that only the hosted environment has.
    """

    imports: dict[str, str]
    left_out: dict[str, dict[str, str]]
    images: dict[str, dict[str, dict[str, str]]]


@functools.cache
def _image_data() -> _ImageData:
    data = json.loads(_FILE.read_text())
    return _ImageData(data["imports"], data["left_out"], data["images"])
