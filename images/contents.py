"""What is in an image, seen from inside it, beside what its lock names.

    python contents.py REQUIREMENTS

Prints one JSON object: `unlocked` and `missing` packages, and for every module of
every package what its import said: `failures` and `warnings` by module.
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
    """Versions by package that the requirements name for this Python and system."""
    lines = (line.partition(" \\")[0] for line in requirements.splitlines())
    named = [Requirement(line) for line in lines if line[:1].isalnum()]
    here = [need for need in named if need.marker is None or need.marker.evaluate()]
    return {canonicalize_name(need.name): str(need.specifier)[2:] for need in here}


def installed() -> dict[str, str]:
    """Versions by package that are in this image."""
    found = metadata.distributions()
    return {canonicalize_name(one.metadata["Name"]): one.version for one in found}


def modules() -> list[str]:
    """Names of the modules that the packages bring, by the files that they install.

    A package's folder is one; of a folder without `__init__.py`, a namespace such as
    `google`, the packages in it are.
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
    """Import a module in a process of its own: its error, if any, and its warnings."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with os.fdopen(write_end, "w") as answer:
            json.dump(_import(name), answer)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if not text:
        return f"the process ended with status {status}", []
    error, said = json.loads(text)
    return error, said


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
    said = {name: import_alone(name) for name in modules()}
    report = {
        "unlocked": sorted(set(found.items()) - set(wanted.items())),
        "missing": sorted(set(wanted.items()) - set(found.items())),
        "modules": len(said),
        "failures": {name: error for name, (error, _) in said.items() if error},
        "warnings": {name: words for name, (_, words) in said.items() if words},
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
