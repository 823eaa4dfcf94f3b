"""Destinations: where a file of predictions is delivered, behind one interface."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from numerai_predict.contract.errors import DeadlinePassed, RunError, SaveFailed, UploadFailed
from numerai_predict.contract.job import PresignedPost
from numerai_predict.storage.files import atomic_write
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.sources import split_s3_url

STEP = "deliver"


class Destination(Protocol):
    """Something that a file can be delivered to."""

    def deliver(self, path: Path, policy: TransferPolicy) -> str:
        """Deliver the file; returns its new location, without secrets.

        Raises:
            UploadFailed: it is refused; `UploadInterrupted` where another attempt may succeed.
            SaveFailed: it cannot be written.
            DeadlinePassed: the time for the whole run is over.
        """


@dataclass(frozen=True)
class Directory:
    """A directory of this machine."""

    path: Path

    def deliver(self, path: Path, policy: TransferPolicy) -> str:
        """Copy the file into it, unless it is there; see `Destination.deliver`."""
        target = self.path.absolute() / path.name
        if target == path.absolute():
            return str(target)
        policy.deadline.check(STEP)
        try:
            with open(path, "rb") as reader, atomic_write(target) as writer:
                shutil.copyfileobj(reader, writer)
        except OSError as error:
            raise SaveFailed(
                f"expected to copy {path} to {self.path}, found: {error.strerror}",
                "choose another directory",
            ) from error
        return str(target)


@dataclass(frozen=True)
class S3Prefix:
    """A prefix in a bucket, written with the credentials that boto3 finds."""

    bucket: str
    prefix: str

    def deliver(self, path: Path, policy: TransferPolicy) -> str:
        """Upload the file under its own name; see `Destination.deliver`."""
        from numerai_predict.storage.transfer.s3 import S3Location, upload_object

        prefix = self.prefix.strip("/")
        location = S3Location(self.bucket, f"{prefix}/{path.name}" if prefix else path.name)
        upload_object(path, location, policy, STEP)
        return str(location)


@dataclass(frozen=True)
class PostForm:
    """A presigned POST."""

    post: PresignedPost

    def deliver(self, path: Path, policy: TransferPolicy) -> str:
        """Send the file as the form's last field; see `Destination.deliver`."""
        from numerai_predict.storage.presigned.post import (
            post_file,  # requests takes 0.1 s to import
        )

        return post_file(path, self.post, policy)


def destination_of(text: str) -> Destination:
    """Parse a destination that a user named: a directory or `s3://bucket/prefix`.

    Raises:
        ValueError: a URL of a scheme that is not supported.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Directory(Path(text))
    if scheme.lower() == "s3":
        return S3Prefix(*split_s3_url(text))
    raise ValueError(f"expected a directory or s3://bucket/prefix; found {scheme}{separator}")


def deliver(path: Path, destinations: Iterable[Destination], policy: TransferPolicy) -> str:
    """Deliver the file to each destination, also after a failure; returns its locations.

    Raises:
        UploadFailed, SaveFailed, DeadlinePassed: the first failure; the message has all of
            them and the path of the file.
    """
    reached: list[str] = []
    failures: list[RunError] = []
    for destination in destinations:
        try:
            reached.append(destination.deliver(path, policy))
        except (UploadFailed, SaveFailed, DeadlinePassed) as error:
            failures.append(error)
    if failures:
        raise _combine(failures, reached, path)
    return " and ".join(reached)


def _combine(failures: Sequence[RunError], reached: Sequence[str], path: Path) -> RunError:
    """One error of the first failure's class, with all failures and successes."""
    first = failures[0]
    parts = [first.message, *(error.message for error in failures[1:])]
    parts += [f"delivered to {where}" for where in reached]
    parts.append(f"the predictions are saved in {path}")
    remedy = f"{first.remedy}; `numerai-predict deliver {path}` sends them again"
    return type(first)("; ".join(parts), remedy)
