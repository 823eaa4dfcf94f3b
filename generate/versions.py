"""The supported Pythons, as `versions.toml` lists them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    raise ImportError("expected Python 3.11 or later to generate files")


@dataclass(frozen=True)
class SupportedPython:
    """A Python like `3.12`.

    `compiled` are the packages of its images that have no wheel for it. `left_out` are modules of
    the hosted environment that the images lack, with the packages that have them there.
    """

    version: str
    compiled: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def supported_pythons(root: Path) -> list[SupportedPython]:
    """The supported Pythons, oldest first."""
    listed = tomllib.loads((root / "versions.toml").read_text())["python"]
    return [SupportedPython(**python) for python in listed]
