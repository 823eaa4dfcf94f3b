"""A container engine for tests: it starts on this machine what a container would run."""

import sys
from pathlib import Path

from numerai_predict.contract.bootstrap import MOUNTED_PACKAGE_ROOT, PACKAGE_ROOT

_SCRIPT = """#!{python}
import os, sys
command, *arguments = sys.argv[1:]
if command != "run":
    sys.exit(command == "image" and arguments[1] not in {images})
image = next(each for each in {images} if each in arguments)
with open({log!r}, "a") as log:
    print(*arguments, file=log)
own = {{{mounted!r}: {root!r}}}
inner = [own.get(each, each) for each in arguments[arguments.index(image) + 1 :]]
os.execv({python!r}, [{python!r}, *inner])
"""


def write_engine(path: Path, *images: str) -> Path:
    """An engine that has the images, and appends each container's arguments to `containers`.

    It runs the entrypoint of the package, from where that is on this machine, in this Python.
    """
    path.write_text(
        _SCRIPT.format(
            python=sys.executable,
            images=images,
            log=str(path.parent / "containers"),
            mounted=MOUNTED_PACKAGE_ROOT,
            root=str(PACKAGE_ROOT),
        )
    )
    path.chmod(0o755)
    return path
