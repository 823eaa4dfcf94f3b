"""Where a model or a data set can come from, behind one small interface."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import FetchFailed
from numerai_predict.contract.redaction import redact

_NUMERAI_NAME = re.compile(r"v\d+(\.\d+)*/\w+\.(parquet|json|csv)")


class Source(Protocol):
    """Something that can be fetched."""

    def fetch(self, folder: Path, deadline: Deadline) -> Path:
        """A local file with the source's bytes, in `folder` where it had to be copied.

        The file keeps the ending of the source's name.

        Raises:
            FetchFailed: it cannot be had; `FetchInterrupted` where another
                try may succeed.
            DeadlinePassed: the time for the whole run is over.
        """


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine, used where it lies."""

    path: Path

    def fetch(self, folder: Path, deadline: Deadline) -> Path:  # noqa: ARG002 - nothing to copy
        """The file itself; see `Source.fetch`."""
        deadline.check("fetch")
        if not self.path.exists():
            raise FetchFailed(
                f"expected a file, found nothing at {self.path}",
                "check the path; a file outside a container must be mounted into it",
            )
        if not self.path.is_file():
            raise FetchFailed(
                f"expected a file, found a directory or device at {self.path}",
                "name the file itself",
            )
        if not os.access(self.path, os.R_OK):
            raise FetchFailed(
                f"expected a readable file, found no permission to read {self.path}",
                "give the user that runs this the right to read it (chmod a+r)",
            )
        return self.path.resolve()


@dataclass(frozen=True)
class HttpUrl:
    """An `http(s)://` URL, a presigned one maybe: its query is a secret."""

    url: str = field(repr=False)

    def fetch(self, folder: Path, deadline: Deadline) -> Path:
        """The downloaded file; see `Source.fetch`."""
        from numerai_predict.storage.http import download  # requests takes 0.1 s to import

        ending = re.search(r"\.\w{1,8}$", urlsplit(self.url).path)  # tells how it is compressed
        return download(self.url, folder / f"download{ending[0] if ending else ''}", deadline)


@dataclass(frozen=True)
class NumeraiDataset:
    """A file of the tournament's data, like `v5.2/live.parquet`."""

    name: str

    def fetch(self, folder: Path, deadline: Deadline) -> Path:
        """The downloaded file; see `Source.fetch`."""
        from numerai_predict.storage.http import download
        from numerai_predict.storage.numerai import dataset_url

        url = dataset_url(self.name, deadline)
        return download(url, folder / self.name.rpartition("/")[2], deadline)


def _names_a_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def source_of(text: str) -> Source:
    """The source that a user means by `text`.

    A file that exists is meant before a Numerai data set of the same name.

    Raises:
        ValueError: an empty text, or a URL of a scheme that is not supported.
    """
    scheme, separator, _ = text.partition("://")
    if separator:
        if scheme.lower() not in ("http", "https"):
            raise ValueError(
                f"expected a file, an http(s):// URL or a Numerai data set; found {scheme}://"
            )
        if not _names_a_host(text):
            raise ValueError(f"expected a URL with a host name, found none in {redact(text)}")
        return HttpUrl(text)
    if not text:
        raise ValueError("expected a file, an http(s):// URL or a Numerai data set; found ''")
    if _NUMERAI_NAME.fullmatch(text) and not Path(text).exists():
        return NumeraiDataset(text)
    return LocalFile(Path(text))
