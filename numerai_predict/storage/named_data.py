"""Data that a user named: a data set of the tournament, a file or a URL, as `source_of` decides."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from numerai_predict.contract.dataset_name import is_dataset_name, is_explicit_path
from numerai_predict.contract.job import NO_FOLDERS, DatasetFolders
from numerai_predict.contract.path_access import exists, is_file
from numerai_predict.storage.sources import LocalFile, Source, source_of


def data_source_of(
    text: str,
    folders: DatasetFolders = NO_FOLDERS,
    environment: Mapping[str, str] = os.environ,
) -> Source:
    """Parse a source of data; in an image, a path must begin with `/`, `./` or `../`.

    The working directory of an image is `/tmp`, where files of earlier runs may lie.

    Raises:
        ValueError: see `source_of`; or, in an image, a path without `/`, `./` or `../`.
    """
    source = source_of(text, folders)
    in_image = bool(environment.get("NUMERAI_PREDICT_IMAGE"))
    if in_image and isinstance(source, LocalFile) and not is_explicit_path(text):
        raise ValueError(
            f"expected the name of a Numerai data set, like v5.2/live.parquet, or a path that "
            f"starts with / or ./, found {text}: for a file write ./{text}"
        )
    return source


def absolute_source(text: str) -> str:
    """The source with the full path of an existing local file, which is valid in any directory."""
    return str(Path(text).absolute()) if is_local_file(text) else text


def is_local_file(text: str) -> bool:
    """Whether the source is a file that exists on this machine."""
    return "://" not in text and not is_dataset_name(text) and is_file(text)


def describe_unused_file(text: str) -> str | None:
    """The warning about a file that has the name of a data set and is not used; `None` without."""
    if not is_dataset_name(text) or not exists(text):
        return None
    return (
        f"{text} is a data set of the tournament, which is used; a file of this name exists in "
        f"{Path.cwd()} too: for the file write ./{text}"
    )
