"""Names of the tournament's data sets, like `v5.2/live.parquet`: the one rule for name or path."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

# The newest data version that this program knows: the default where the tournament is not asked.
KNOWN_DATA_VERSION = "v5.2"

_VERSION = r"v\d{1,4}(?:\.\d{1,4}){0,3}"
_NAME = re.compile(rf"({_VERSION})/\w+\.(?:parquet|json|csv)", re.ASCII)
_VERSION_NAME = re.compile(_VERSION, re.ASCII)
_PATH_STARTS = ("/", "./", "../")


def is_dataset_name(text: str) -> bool:
    """Whether the text is the name of a data set of the tournament, whatever files exist.

    A file of the same name needs a path that starts with `/`, `./` or `../`.
    """
    return _NAME.fullmatch(text) is not None


def is_explicit_path(text: str) -> bool:
    """Whether the text is certainly a path: it starts with `/`, `./` or `../`."""
    return text.startswith(_PATH_STARTS)


def data_version_of(source: str) -> str | None:
    """The data version that a name, path or URL states, like `v5.2` of `a/v5.2/live.parquet`.

    It is the name of the file's directory; `None` if that is not a version.
    """
    try:
        path = urlsplit(source).path if "://" in source else source
    except ValueError:
        return None
    directory = PurePosixPath(path).parent.name
    return directory if is_data_version(directory) else None


def is_data_version(text: str) -> bool:
    """Whether the text is a version of the data, like `v5.2`."""
    return _VERSION_NAME.fullmatch(text) is not None
