"""Which files are generated, and from which sources."""

from __future__ import annotations

import sys
from pathlib import Path

from generate import images
from generate.reference import reference_files
from generate.requirements import export, require_fresh_lock, without_nvidia

if sys.version_info >= (3, 11):
    import tomllib
else:
    raise ImportError("expected Python 3.11 or later to generate files")

ROOT = Path(__file__).parents[1]
BANNER = "# Made by 'make generate' from {source}: do not edit.\n"

_TEMPLATE = Path(__file__).parent / "Dockerfile.template"


def supported_versions() -> list[str]:
    """The supported Pythons, like `3.12`, as `versions.toml` lists them."""
    listed = tomllib.loads((ROOT / "versions.toml").read_text())["python"]
    return [python["version"] for python in listed]


def generated_files(poetry: str) -> dict[Path, str]:
    """Every generated file with its text.

    Raises:
        OSError, ValueError, subprocess.CalledProcessError: a lock is missing, does not
            match its pyproject.toml, or cannot be exported.
    """
    files = _own_requirements(poetry)
    for version in supported_versions():
        files |= _image_files(poetry, version)
    files[ROOT / images.FILE] = images.images(ROOT, supported_versions())
    return files | reference_files(ROOT)


def _own_requirements(poetry: str) -> dict[Path, str]:
    require_fresh_lock(poetry, ROOT)
    banner = BANNER.format(source="poetry.lock")
    folder = ROOT / "requirements"
    return {
        folder / "runner.txt": banner + export(poetry, ROOT),
        folder / "pytest.txt": banner + export(poetry, ROOT, "--only", "pytest"),
        folder / "dev.txt": banner + export(poetry, ROOT, "--all-extras", "--with", "dev,pytest"),
    }


def _image_files(poetry: str, version: str) -> dict[Path, str]:
    folder = ROOT / f"py{version}"
    require_fresh_lock(poetry, folder)
    banner = BANNER.format(source=f"py{version}/poetry.lock")
    template = _TEMPLATE.read_text()
    dockerfile = BANNER.format(source="generate/Dockerfile.template") + template
    return {
        folder / "requirements.txt": banner + export(poetry, folder, "--with", "deep"),
        folder / "requirements-slim.txt": banner + without_nvidia(export(poetry, folder)),
        folder / "Dockerfile": dockerfile.replace("@VERSION@", version).replace(
            "@TAG@", version.replace(".", "_")
        ),
    }
