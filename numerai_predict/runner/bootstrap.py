"""The argv that starts an entrypoint of this package in an isolated Python.

`python -I` ignores the current directory, the user's site-packages and every `PYTHON*` variable.
The directory that holds the package is appended to the path, never prepended: no file next to the
package can take the place of a library of the model.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numerai_predict

PACKAGE = Path(numerai_predict.__file__).parent
MOUNTED_PACKAGE_ROOT = "/opt/numerai-predict"  # holds the package in a container

_PROGRAM = """\
import sys
sys.path.append(sys.argv.pop(1))
from {module} import {function}
sys.exit({function}())
"""


def bootstrap_argv(
    entrypoint: str,
    *args: str,
    python: str = sys.executable,
    package_root: str = str(PACKAGE.parent),
) -> list[str]:
    """The argv of an isolated, unbuffered Python that calls the entrypoint without arguments.

    The entrypoint (`package.module:function`) finds `args` in `sys.argv[1:]`; what it returns is
    the exit status. `package_root` is the directory that holds the package.
    """
    module, _, function = entrypoint.partition(":")
    program = _PROGRAM.format(module=module, function=function)
    return [python, "-I", "-u", "-c", program, package_root, *args]
