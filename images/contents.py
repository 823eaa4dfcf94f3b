"""Compares the packages inside an image with those of its lock.

    python contents.py REQUIREMENTS

Prints one JSON object: `unlocked` and `missing` packages, and the `failures` and `warnings` of
importing each module of each package.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def locked(requirements: str) -> dict[str, str]:
    """Versions by package that the requirements name for this Python and platform."""
    lines = (line.partition(" \\")[0] for line in requirements.splitlines())
    named = [Requirement(line) for line in lines if line[:1].isalnum()]
    needed = [need for need in named if need.marker is None or need.marker.evaluate()]
    return {canonicalize_name(need.name): str(need.specifier)[2:] for need in needed}


def installed() -> dict[str, str]:
    """Versions by package that this image contains."""
    found = metadata.distributions()
    return {canonicalize_name(one.metadata["Name"]): one.version for one in found}


def modules() -> list[str]:
    """Names of the modules of all packages, from the files that they install.

    For a namespace such as `google`, a directory without `__init__.py`, these are its packages.
    """
    files = {Path(str(file)) for one in metadata.distributions() for file in one.files or ()}
    packages = {file.parent for file in files if file.name == "__init__.py"}
    outermost = {path for path in packages if not packages & set(path.parents)}
    alone = {Path(file.name.partition(".")[0]) for file in files if _is_module(file)}
    names = {path.parts for path in outermost | alone}
    return sorted(".".join(parts) for parts in names if all(map(_is_public, parts)))


def _is_public(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_")


def _is_module(file: Path) -> bool:
    return file.suffix in (".py", ".so") and len(file.parts) == 1


def import_alone(name: str) -> tuple[str | None, list[str]]:
    """Import a module in a separate process; returns its error, if any, and its warnings."""
    read_end, write_end = os.pipe()
    process = os.fork()
    if process == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with os.fdopen(write_end, "w") as pipe:
            json.dump(_import(name), pipe)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        text = pipe.read()
    _, status = os.waitpid(process, 0)
    if not text:
        return f"the process ended with status {status}", []
    error, messages = json.loads(text)
    return error, messages


def _import(name: str) -> tuple[str | None, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            importlib.import_module(name)
            error = None
        except BaseException as raised:
            error = f"{type(raised).__name__}: {raised}"[:300]
    return error, [f"{warning.category.__name__}: {warning.message}"[:300] for warning in caught]


def main() -> None:
    """Print the report."""
    wanted, found = locked(Path(sys.argv[1]).read_text()), installed()
    results = {name: import_alone(name) for name in modules()}
    report = {
        "unlocked": sorted(set(found.items()) - set(wanted.items())),
        "missing": sorted(set(wanted.items()) - set(found.items())),
        "modules": len(results),
        "failures": {name: error for name, (error, _) in results.items() if error},
        "warnings": {name: messages for name, (_, messages) in results.items() if messages},
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
