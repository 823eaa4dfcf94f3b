"""Environments that hold the package and its libraries as users install them, made offline."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipapp
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
# What predict.py itself needs for local files; the rest follows from their metadata.
_LIBRARIES = (
    "cloudpickle", "filelock", "pandas", "platformdirs", "pyarrow", "requests", "tenacity",
    "zstandard",
)  # fmt: skip
_NOT_COPIED = ("site-packages", "test", "idlelib", "ensurepip", "config-*", "tkinter")
SECRET = "a key of the user"
_START = "import sys; from numerai_predict.runner.entrypoint import main; sys.exit(main())"


@dataclass(frozen=True)
class Layout:
    """An installation: how to start predict.py in it, and a file that no model may read."""

    command: list[str]
    secret: Path
    variables: dict[str, str] = field(default_factory=dict)


def link_tree(source: Path, target: Path, leave_out: tuple[str, ...] = ()) -> None:
    """A tree of the same files, by hard links where the file system allows them."""

    def place(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    ignore = shutil.ignore_patterns(*leave_out) if leave_out else None
    shutil.copytree(source, target, copy_function=place, ignore=ignore, dirs_exist_ok=True)


def copy_interpreter(folder: Path) -> Path:
    """This Python without libraries, in a directory that every user may read."""
    base = Path(sys.base_prefix)
    link_tree(base / "lib" / VERSION, folder / "lib" / VERSION, _NOT_COPIED)
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy2(library, folder / "lib")
    (folder / "bin").mkdir()
    (folder / "lib" / VERSION / "site-packages").mkdir()
    return Path(shutil.copy2(Path(sys.executable).resolve(), folder / "bin" / VERSION))


def install_libraries(site: Path) -> None:
    """The libraries that predict.py needs, with their metadata."""
    site.mkdir(parents=True, exist_ok=True)
    for distribution in _with_requirements(_LIBRARIES):
        tops = {file.parts[0] for file in distribution.files or ()} - {".."}
        for top in tops:
            source = Path(str(distribution.locate_file(top)))
            if source.is_dir():
                link_tree(source, site / top, ("tests", "include"))
            elif source.is_file() and source.suffix != ".pth":
                shutil.copy2(source, site / top)


def install_package(folder: Path) -> None:
    """The package itself."""
    link_tree(ROOT / "numerai_predict", folder / "numerai_predict", ("__pycache__",))


def _with_requirements(names: tuple[str, ...]) -> Iterator[metadata.Distribution]:
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform
        yield distribution
        required = [line for line in distribution.requires or () if "extra ==" not in line]
        waiting += [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required]


def _venv(folder: Path, python: Path) -> Layout:
    environment = folder / "venv"
    subprocess.run([python, "-m", "venv", "--without-pip", environment], check=True)
    site = environment / "lib" / VERSION / "site-packages"
    install_libraries(site)
    install_package(site)
    return Layout([str(environment / "bin/python"), "-c", _START], folder / "key")


def _system(folder: Path, python: Path) -> Layout:
    site = python.parents[1] / "lib" / VERSION / "site-packages"
    install_libraries(site)
    install_package(site)
    return Layout([str(python), "-c", _START], folder / "key")


def _user(folder: Path, python: Path) -> Layout:
    home = _private_home(folder)
    site = home / ".local/lib" / VERSION / "site-packages"
    install_libraries(site)
    install_package(site)
    # The system's own pandas, older than what the user installed.
    decoy = python.parents[1] / "lib" / VERSION / "site-packages" / "pandas"
    decoy.mkdir()
    (decoy / "__init__.py").write_text("raise ImportError('the pandas of the system')")
    return Layout([str(python), "-c", _START], home / ".netrc", {"HOME": str(home)})


def _editable(folder: Path, python: Path) -> Layout:
    home = _private_home(folder)
    checkout = home / "project"
    checkout.mkdir()
    install_package(checkout)
    site = home / ".local/lib" / VERSION / "site-packages"
    install_libraries(site)
    (site / "numerai_predict.pth").write_text(f"{checkout}\n")
    return Layout([str(python), "-c", _START], checkout / ".env", {"HOME": str(home)})


def _checkout(folder: Path, python: Path) -> Layout:
    home = _private_home(folder)
    checkout = home / "project"
    checkout.mkdir()
    install_package(checkout)
    shutil.copy2(ROOT / "predict.py", checkout)
    install_libraries(home / ".local/lib" / VERSION / "site-packages")
    command = [str(python), str(checkout / "predict.py")]
    return Layout(command, checkout / ".env", {"HOME": str(home)})


def _target(folder: Path, python: Path) -> Layout:
    project = folder / "project"
    install_libraries(project)
    install_package(project)
    return Layout([str(python), "-c", _START], project / ".env", {"PYTHONPATH": str(project)})


def _zipapp(folder: Path, python: Path) -> Layout:
    source = folder / "source"
    source.mkdir()
    install_package(source)
    shutil.copy2(ROOT / "predict.py", source / "__main__.py")
    zipapp.create_archive(source, folder / "predict.pyz")
    shutil.rmtree(source)
    install_libraries(python.parents[1] / "lib" / VERSION / "site-packages")
    return Layout([str(python), "predict.pyz"], folder / "key")  # by a relative path, as users do


def _private_home(folder: Path) -> Path:
    home = folder / "home"
    home.mkdir()
    return home


LAYOUTS: dict[str, Callable[[Path, Path], Layout]] = {
    "venv": _venv,
    "system": _system,
    "user": _user,
    "editable": _editable,
    "checkout": _checkout,
    "target": _target,
    "zipapp": _zipapp,
}
