"""The argv that starts an entrypoint of this package, or a script, in an isolated Python.

Every other Python that the product starts, on this machine or in a container, is started by it.

`python -I` ignores the current directory, the user's site-packages and every `PYTHON*` variable.
It receives the library directories of this process, which come before those of the system as they
do here. The directory or zipapp that holds the package is appended to the path, never prepended: no
file next to the package can take the place of a library of the model.
"""

from __future__ import annotations

import site
import sys
from pathlib import Path

import numerai_predict
from numerai_predict.contract.library_folders import library_folders

PACKAGE = Path(numerai_predict.__file__).parent.absolute()
PACKAGE_ROOT = PACKAGE.parent  # the entry of the path: a directory, or the file of a zipapp
# What is read to import the package: a model and a container are given this and nothing beside it.
PACKAGE_FILES = PACKAGE_ROOT if PACKAGE_ROOT.is_file() else PACKAGE
MOUNTED_PACKAGE_ROOT = "/opt/numerai-predict"  # holds the package in a container

_ADD_FOLDERS = """\
import site, sys
at = next((i for i, e in enumerate(sys.path) if e in site.getsitepackages()), len(sys.path))
system = sys.path[at:]
del sys.path[at:]
for folder in {folders!r}:
    site.addsitedir(folder)
sys.path += system
"""
_PROGRAM = """\
import sys
root = sys.argv.pop(1)
if root not in sys.path:
    sys.path.append(root)
from {module} import {function}
sys.exit({function}())
"""
_SCRIPT = """\
import runpy, sys
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def bootstrap_argv(
    entrypoint: str,
    *args: str,
    python: str | None = None,
    package_root: str = str(PACKAGE_ROOT),
) -> list[str]:
    """The argv of an isolated, unbuffered Python that calls the entrypoint without arguments.

    The entrypoint (`package.module:function`) finds `args` in `sys.argv[1:]`; what it returns is
    the exit status. `package_root` is the directory or zipapp that holds the package. `python` is
    another Python than this one, which has libraries of its own.
    """
    module, _, function = entrypoint.partition(":")
    program = _PROGRAM.format(module=module, function=function)
    return [*_isolated(program, python), package_root, *args]


def script_argv(script: str, *args: str, python: str | None = None) -> list[str]:
    """The argv of an isolated, unbuffered Python that runs a script without this package.

    `python` is as of `bootstrap_argv`.
    """
    return [*_isolated(_SCRIPT, python), script, *args]


def _isolated(program: str, python: str | None) -> list[str]:
    if python is None and (folders := _folders_to_name()):
        program = _ADD_FOLDERS.format(folders=folders) + program
    return [python or sys.executable, "-I", "-u", "-c", program]


def _folders_to_name() -> list[str]:
    """The library directories of this process that an isolated Python does not use by itself."""
    own = site.getsitepackages()
    return [folder for folder in library_folders() if folder not in own]
