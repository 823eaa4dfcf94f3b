"""Where a model or a data set can come from, behind one small interface."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from numerai_predict.contract.errors import FetchFailed
from numerai_predict.contract.redaction import redact
from numerai_predict.storage.download import download
from numerai_predict.storage.retry import TransferPolicy

_EXPECTED = "expected a file, an http(s):// or s3:// URL or a Numerai data set"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")  # old ones may be longer than 63
_NUMERAI_NAME = re.compile(r"v\d+(\.\d+)*/\w+\.(parquet|json|csv)")


class Source(Protocol):
    """Something that can be fetched."""

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:
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

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:  # noqa: ARG002 - nothing to copy
        """The file itself; see `Source.fetch`."""
        policy.deadline.check("fetch")
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

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:
        """The downloaded file; see `Source.fetch`."""
        from numerai_predict.storage.http import http_opener  # requests takes 0.1 s to import

        source, target = redact(self.url), _target(folder, urlsplit(self.url).path)
        download(http_opener(lambda: self.url, source, policy), target, source, policy)
        return target


@dataclass(frozen=True)
class S3Object:
    """An object in a bucket, read with the credentials that boto3 finds."""

    bucket: str
    key: str

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:
        """The downloaded file; see `Source.fetch`."""
        from numerai_predict.storage.s3 import S3Location, s3_opener  # boto3: another 0.1 s

        location, target = S3Location(self.bucket, self.key), _target(folder, self.key)
        download(s3_opener(location, str(location), policy), target, str(location), policy)
        return target


@dataclass(frozen=True)
class NumeraiDataset:
    """A file of the tournament's data, like `v5.2/live.parquet`.

    What was downloaded before is taken from the folder `cache`, where there is one,
    if the tournament still has the same bytes.
    """

    name: str
    cache: Path | None = None

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:
        """The downloaded file; see `Source.fetch`."""
        from numerai_predict.storage.cache import Cache
        from numerai_predict.storage.dataset_urls import DatasetAddress

        target = folder / self.name.rpartition("/")[2]
        address = DatasetAddress(self.name, policy)
        return Cache(self.cache).fetch(address, target, self.name, policy)


def _target(folder: Path, path: str) -> Path:
    """Where a download goes; the ending of its name tells how it is compressed."""
    ending = re.search(r"\.\w{1,8}$", path)
    return folder / f"download{ending[0] if ending else ''}"


def _names_a_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def source_of(text: str, cache: Path | None = None) -> Source:
    """The source that a user means by `text`; `cache` is the folder for data sets by name.

    A file that exists is meant before a Numerai data set of the same name.

    Raises:
        ValueError: an empty text, or a URL of a scheme that is not supported.
    """
    scheme, separator, _ = text.partition("://")
    if separator:
        return _source_of_url(scheme.lower(), text)
    if not text:
        raise ValueError(f"{_EXPECTED}; found ''")
    if _NUMERAI_NAME.fullmatch(text) and not Path(text).exists():
        return NumeraiDataset(text, cache)
    return LocalFile(Path(text))


def _source_of_url(scheme: str, text: str) -> Source:
    if scheme == "s3":
        bucket, key = split_s3_url(text)
        if not key:
            raise ValueError("expected s3://bucket/key, found no key")
        return S3Object(bucket, key)
    if scheme not in ("http", "https"):
        raise ValueError(f"{_EXPECTED}; found {scheme}://")
    if not _names_a_host(text):
        raise ValueError(f"expected a URL with a host name, found none in {redact(text)}")
    return HttpUrl(text)


def split_s3_url(text: str) -> tuple[str, str]:
    """Bucket and key, or prefix, of `s3://bucket/key`.

    Raises:
        ValueError: there is no bucket that S3 could have.
    """
    bucket, _, key = text.partition("://")[2].partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("expected s3://bucket/..., found no name that a bucket can have")
    return bucket, key
