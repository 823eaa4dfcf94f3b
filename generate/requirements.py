"""Requirements with hashes, exported from Poetry's locks."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Collection
from pathlib import Path

_BUILD_DIRECTORY = r'--config-settings="build-dir=/build/\1"'
_REMEDY = "run make lock for our own, make lock_images for the images'"


def require_fresh_lock(poetry: str, folder: Path) -> None:
    """Refuse a lock that does not match its pyproject: Poetry exports it without a warning.

    Raises:
        FileNotFoundError: there is no lock.
        ValueError: the two do not match.
    """
    lock = folder / "poetry.lock"
    if not lock.exists():
        raise FileNotFoundError(f"expected {lock}, found none: {_REMEDY}")
    command = [poetry, "check", "--lock", "--directory", str(folder)]
    checked = subprocess.run(command, capture_output=True, text=True)
    if "poetry.lock was last generated" in checked.stdout + checked.stderr:
        raise ValueError(f"{lock} does not match its pyproject: {_REMEDY}")


def export(poetry: str, folder: Path, *options: str) -> str:
    """The lock of the directory as requirements with hashes.

    Raises:
        subprocess.CalledProcessError: Poetry fails; its output is in `stderr`.
    """
    command = [poetry, "export", "--directory", str(folder), "--format", "requirements.txt"]
    exported = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    return exported.stdout


def without_nvidia(requirements: str) -> str:
    """The requirements without NVIDIA's libraries, which only a GPU can use.

    xgboost depends on NCCL, and loads it only to train on several GPUs.
    """
    return _filtered(requirements, lambda name: not name.startswith("nvidia-"))


def to_compile(requirements: str, packages: Collection[str]) -> str:
    """The requirements of these packages, each with a build directory of its own.

    pip builds a package twice, for its metadata and for its wheel: the directory, which
    meson-python knows, has the results of the first time.
    """
    kept = _filtered(requirements, lambda name: name in packages)
    return re.sub(r"^([^\s=]+)==.*", rf"\g<0>\n    {_BUILD_DIRECTORY} \\", kept, flags=re.MULTILINE)


def _filtered(requirements: str, is_kept: Callable[[str], bool]) -> str:
    """The requirements whose names are kept, with their hashes; a hash is on a line of its own."""
    kept = []
    keep = True
    for line in requirements.splitlines(keepends=True):
        if not line.startswith((" ", "#")):
            keep = is_kept(line.partition("==")[0])
        if keep:
            kept.append(line)
    return "".join(kept)
