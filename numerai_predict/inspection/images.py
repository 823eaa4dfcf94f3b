"""The supported images and what each has, as their locks say."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from numerai_predict.contract.container_run import BindMount, ContainerRun
from numerai_predict.inspection.opcode_tables import tables

FULL, SLIM = "full", "slim"
_FILE = Path(__file__).parent / "data/images.json"

# How an image is called; images/build gives it this name.
_NAME = "numerai_predict_py_{python}:latest{suffix}"

# Stand for what the shell fills in when the printed command is run; no path has these characters.
_PWD, _USER = "\0PWD", "\0USER"
_SHELL = {_PWD: '"$PWD"', _USER: '"$(id -u):$(id -g)"'}

# The product itself lies in every image, in no lock.
_OURS = {"numerai_predict"}


@dataclass(frozen=True)
class Image:
    """An image: its Python, its flavour, its packages with their versions."""

    python: str
    flavour: str
    packages: dict[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The name to run it by."""
        suffix = "" if self.flavour == FULL else f"-{self.flavour}"
        return _NAME.format(python=self.python.replace(".", "_"), suffix=suffix)

    def command(self, model: str, data: Mapping[str, str] | None = None) -> str:
        """The shell command that runs a model, a path or a URL, in it, from this directory.

        `data` are further options with a path or a URL each.
        """
        options = {"--model": model, **(data or {})}
        folders = filter(None, map(_folder_outside, options.values()))
        current = _mountable_pwd(Path.cwd())
        container = ContainerRun(
            self.name,
            (*itertools.chain(*options.items()), "--output_dir", current),
            mounts=(BindMount(current, read_only=False), *map(BindMount, folders)),
            user=_USER,
            network=True,
            working_directory=current,
        )
        return " ".join(map(_shell_word, container.argv("docker")))

    def has(self, module: str) -> bool:
        """Whether the module of this name, or the package that it is part of, is there."""
        top = module.partition(".")[0]
        package = package_of(top)
        return package in self.packages or top in _standard_library(self.python) or top in _OURS

    def version(self, module: str) -> str | None:
        """The version of the package that the module comes from."""
        return self.packages.get(package_of(module.partition(".")[0]) or "")


def _mountable_pwd(current: Path) -> str:
    """The placeholder of the current directory, or its path where a mount has to quote it."""
    return str(current) if set(str(current)) & set(',"\r\n') else _PWD


def _shell_word(word: str) -> str:
    """The word quoted for a shell, which fills in the placeholders."""
    parts = re.split(f"({_PWD}|{_USER})", word)
    return "".join(_SHELL.get(part) or shlex.quote(part) for part in parts if part) or "''"


def _folder_outside(source: str) -> str | None:
    """The folder of a file that lies outside the current one; `None` for a URL."""
    path = os.path.abspath(source)  # noqa: PTH100 - `..` taken out, links left as they are
    here = "://" in source or Path(path).is_relative_to(Path.cwd())
    return None if here else str(Path(path).parent)


@functools.cache
def supported_images() -> tuple[Image, ...]:
    """All images: of each Python, oldest first, the slim one, then the full one."""
    found = []
    for python, facts in _facts().images.items():
        found.append(Image(python, SLIM, facts[SLIM]))
        found.append(Image(python, FULL, {**facts[SLIM], **facts[FULL]}))
    return tuple(found)


def supported_pythons() -> tuple[str, ...]:
    """The Pythons that there are images of, oldest first."""
    return tuple(_facts().images)


def package_of(module: str) -> str | None:
    """The package that a top-level module comes from; `None` if no image knows it."""
    return _facts().imports.get(module)


def is_known(module: str) -> bool:
    """Whether the module is in some image, or in the standard library of some Python."""
    return any(image.has(module) for image in supported_images())


@functools.cache
def _standard_library(python: str) -> frozenset[str]:
    return next((t.standard_library for t in tables() if t.python == python), frozenset())


@dataclass(frozen=True)
class _Facts:
    """Package by import name; packages with versions by Python and flavour."""

    imports: dict[str, str]
    images: dict[str, dict[str, dict[str, str]]]


@functools.cache
def _facts() -> _Facts:
    facts = json.loads(_FILE.read_text())
    return _Facts(facts["imports"], facts["images"])
