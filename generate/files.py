"""Which files are generated, and from which sources."""

from __future__ import annotations

from pathlib import Path

from generate import images
from generate.reference import reference_files
from generate.requirements import export, require_fresh_lock, to_compile, without_nvidia
from generate.versions import SupportedPython, supported_pythons

ROOT = Path(__file__).parents[1]
BANNER = "# Made by 'make generate' from {source}: do not edit.\n"

_COMPILED = "@compiled@"
_TEMPLATE = Path(__file__).parent / "Dockerfile.template"


def generated_files(poetry: str) -> dict[Path, str]:
    """Every generated file with its text.

    Raises:
        OSError, ValueError, subprocess.CalledProcessError: a lock is missing, does not
            match its pyproject.toml, or cannot be exported.
    """
    files = _own_requirements(poetry)
    pythons = supported_pythons(ROOT)
    for python in pythons:
        files |= _image_files(poetry, python)
    files[ROOT / images.FILE] = images.images(ROOT, pythons)
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


def _image_files(poetry: str, python: SupportedPython) -> dict[Path, str]:
    folder = ROOT / f"py{python.version}"
    require_fresh_lock(poetry, folder)
    banner = BANNER.format(source=f"py{python.version}/poetry.lock")
    slim = without_nvidia(export(poetry, folder))
    files = {
        folder / "requirements.txt": banner + export(poetry, folder, "--with", "deep"),
        folder / "requirements-slim.txt": banner + slim,
        folder / "Dockerfile": dockerfile(_TEMPLATE.read_text(), python),
    }
    if python.compiled:
        files[folder / "requirements-compiled.txt"] = banner + to_compile(slim, python.compiled)
    return files


def dockerfile(template: str, python: SupportedPython) -> str:
    """The Dockerfile of a Python; lines that begin with `@compiled@` are for compiled packages."""
    lines = template.splitlines(keepends=True)
    if not python.compiled:
        lines = [line for line in lines if not line.startswith(_COMPILED)]
    names = {
        _COMPILED: "",
        "@CACHE@": "--cache-dir /wheels" if python.compiled else "--no-cache-dir",
        "@VERSION@": python.version,
        "@TAG@": python.version.replace(".", "_"),
    }
    text = BANNER.format(source="generate/Dockerfile.template") + "".join(lines)
    for name, value in names.items():
        text = text.replace(name, value)
    return text
