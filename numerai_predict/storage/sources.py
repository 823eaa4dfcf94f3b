"""Sources: where a model or a data set is fetched from, behind one interface."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from numerai_predict.contract.dataset_name import is_dataset_name
from numerai_predict.contract.errors import FetchFailed
from numerai_predict.contract.job import NO_FOLDERS, DatasetFolders
from numerai_predict.contract.path_access import barred_by, exists, is_file
from numerai_predict.contract.redaction import redact
from numerai_predict.storage.files import resolve_links
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.transfer.download import download

_EXPECTED = "expected a file, an http(s):// or s3:// URL or a Numerai data set"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")  # old ones may be longer than 63


class Source(Protocol):
    """Something that can be fetched."""

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:
        """A local file with the source's bytes; a new one is created in `folder`.

        The file keeps the suffix of the source's name.

        Raises:
            FetchFailed: it cannot be fetched; `FetchInterrupted` where another
                attempt may succeed.
            DeadlinePassed: the time for the whole run is over.
        """


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine; it is not copied."""

    path: Path

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:  # noqa: ARG002 - not copied
        """The file itself; see `Source.fetch`."""
        policy.deadline.check("fetch")
        if barred := barred_by(self.path):
            raise FetchFailed(
                f"expected a file at {self.path}, found {barred.found}", barred.remedy
            )
        if not exists(self.path):
            raise FetchFailed(
                f"expected a file, found nothing at {self.path}",
                "check the path; a file outside a container must be mounted into it",
            )
        if not is_file(self.path):
            raise FetchFailed(
                f"expected a file, found a directory or device at {self.path}",
                "name the file itself",
            )
        if not os.access(self.path, os.R_OK):
            raise FetchFailed(
                f"expected a readable file, found no permission to read {self.path}",
                f"give user {os.geteuid()} the right to read it: chmod a+r {self.path}, or run as "
                'its owner: in a container with --user "$(id -u):$(id -g)"',
            )
        return resolve_links(self.path)


@dataclass(frozen=True)
class HttpUrl:
    """An `http(s)://` URL; its query may be a presigned one, a secret."""

    url: str = field(repr=False)

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:
        """The downloaded file; see `Source.fetch`."""
        from numerai_predict.storage.transfer.http import (
            http_opener,  # requests takes 0.1 s to import
        )

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
        from numerai_predict.storage.transfer.s3 import (  # boto3: another 0.1 s
            S3Location,
            s3_opener,
        )

        location, target = S3Location(self.bucket, self.key), _target(folder, self.key)
        download(s3_opener(location, str(location), policy), target, str(location), policy)
        return target


@dataclass(frozen=True)
class NumeraiDataset:
    """A file of the tournament's data by its name, like `v5.2/live.parquet`.

    A copy in the local directories is used if the tournament still has the same bytes: live data
    change each round.
    """

    name: str
    folders: DatasetFolders = NO_FOLDERS

    def fetch(self, folder: Path, policy: TransferPolicy) -> Path:
        """The file, downloaded or copied; see `Source.fetch`."""
        from numerai_predict.contract.server_name import server_of
        from numerai_predict.storage.cache import Cache
        from numerai_predict.storage.dataset_urls import DatasetAddress
        from numerai_predict.storage.stored_copy import find_in_snapshots

        target = folder / self.name.rpartition("/")[2]
        address = DatasetAddress(self.name, policy)
        server = server_of(address.identity)
        snapshot = find_in_snapshots(self.folders.snapshots, self.name, server)
        return Cache(self.folders.cache).fetch(address, target, self.name, policy, snapshot)


def _target(folder: Path, path: str) -> Path:
    """The path of a download; the suffix of its name shows how it is compressed."""
    suffix = re.search(r"\.\w{1,8}$", path)
    return folder / f"download{suffix[0] if suffix else ''}"


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def source_of(text: str, folders: DatasetFolders = NO_FOLDERS) -> Source:
    """Parse a source that a user named; `folders` are for data sets by name.

    The name of a Numerai data set means the tournament, whatever files exist: a file of the same
    name needs a path that starts with `/`, `./` or `../`.

    Raises:
        ValueError: an empty text, or a URL of a scheme that is not supported.
    """
    scheme, separator, _ = text.partition("://")
    if separator:
        return _source_of_url(scheme.lower(), text)
    if not text:
        raise ValueError(f"{_EXPECTED}; found ''")
    if is_dataset_name(text):
        return NumeraiDataset(text, folders)
    return LocalFile(Path(text))


def _source_of_url(scheme: str, text: str) -> Source:
    if scheme == "s3":
        bucket, key = split_s3_url(text)
        if not key:
            raise ValueError("expected s3://bucket/key, found no key")
        return S3Object(bucket, key)
    if scheme not in ("http", "https"):
        raise ValueError(f"{_EXPECTED}; found {scheme}://")
    if not _has_host(text):
        raise ValueError(f"expected a URL with a host name, found none in {redact(text)}")
    return HttpUrl(text)


def split_s3_url(text: str) -> tuple[str, str]:
    """Bucket and key, or prefix, of `s3://bucket/key`.

    Raises:
        ValueError: the name of the bucket is not one that S3 allows.
    """
    bucket, _, key = text.partition("://")[2].partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("expected s3://bucket/..., found no name that a bucket can have")
    return bucket, key
