"""The directories that libraries are installed in, and what a model may read of each."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# The names that Python, Debian and pip give to a directory that holds libraries alone.
_NAMES = ("site-packages", "dist-packages")
_METADATA = "*.dist-info"


@cache
def library_folders() -> tuple[str, ...]:
    """The entries of `sys.path` that libraries are installed in, in their order.

    They include the user's site-packages and what `pip install --target` made.
    """
    return tuple(entry for entry in dict.fromkeys(sys.path) if is_library_folder(Path(entry)))


def is_library_folder(folder: Path) -> bool:
    """Whether libraries are installed in the directory: by its name, or by their metadata in it."""
    if not folder.is_absolute():
        return False
    return folder.name in _NAMES or next(folder.glob(_METADATA), None) is not None


def readable_of(folder: Path) -> Iterator[Path]:
    """What a model may read of a library directory.

    All of a directory that holds libraries alone. Of another, such as a project's that `pip install
    --target` was pointed at, what the libraries' own metadata list: it may hold keys too.
    """
    if folder.name in _NAMES:
        yield folder
        return
    for metadata in folder.glob(_METADATA):
        yield metadata
        yield from (folder / name for name in _installed_names(metadata))


def _installed_names(metadata: Path) -> set[str]:
    """The first parts of the paths of a library's files, relative to its directory."""
    try:
        with open(metadata / "RECORD", encoding="utf-8", newline="") as record:
            paths = [row[0] for row in csv.reader(record) if row]
    except (OSError, UnicodeError, csv.Error):
        return set()
    return {path.partition("/")[0] for path in paths} - {"", ".", ".."}
