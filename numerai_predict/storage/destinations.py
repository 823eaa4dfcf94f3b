"""Where a file of predictions can go, behind one small interface."""

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
    """Somewhere that takes a file."""

    def deliver(self, path: Path, policy: TransferPolicy) -> str:
        """Take the file; returns where it is now, in words without secrets.

        Raises:
            UploadFailed: it is refused; `UploadInterrupted` where another try may succeed.
            SaveFailed: it cannot be written.
            DeadlinePassed: the time for the whole run is over.
        """


@dataclass(frozen=True)
class Directory:
    """A directory of this machine."""

    path: Path

    def deliver(self, path: Path, policy: TransferPolicy) -> str:
        """Copy the file into it, unless it lies there; see `Sink.deliver`."""
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
    """A place in a bucket, written with the credentials that boto3 finds."""

    bucket: str
    prefix: str

    def deliver(self, path: Path, policy: TransferPolicy) -> str:
        """Store the file there under its own name; see `Sink.deliver`."""
        from numerai_predict.storage.s3 import S3Location, upload_object

        prefix = self.prefix.strip("/")
        location = S3Location(self.bucket, f"{prefix}/{path.name}" if prefix else path.name)
        upload_object(path, location, policy, STEP)
        return str(location)


@dataclass(frozen=True)
class PostForm:
    """A presigned POST."""

    post: PresignedPost

    def deliver(self, path: Path, policy: TransferPolicy) -> str:
        """Send the file as the form's last field; see `Sink.deliver`."""
        from numerai_predict.storage.presigned_post import (
            post_file,  # requests takes 0.1 s to import
        )

        return post_file(path, self.post, policy)


def destination_of(text: str) -> Destination:
    """The sink that a user means by `text`: a directory or `s3://bucket/prefix`.

    Raises:
        ValueError: a URL of a scheme that is not supported.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Directory(Path(text))
    if scheme.lower() == "s3":
        return S3Prefix(*split_s3_url(text))
    raise ValueError(f"expected a directory or s3://bucket/prefix; found {scheme}{separator}")


def deliver(path: Path, sinks: Iterable[Destination], policy: TransferPolicy) -> str:
    """Hand the file to each of the sinks, also after one failed; returns where it is now.

    Raises:
        UploadFailed, SaveFailed, DeadlinePassed: the first that failed; the message says
            where the file is safe.
    """
    reached: list[str] = []
    failures: list[RunError] = []
    for sink in sinks:
        try:
            reached.append(sink.deliver(path, policy))
        except (UploadFailed, SaveFailed, DeadlinePassed) as error:
            failures.append(error)
    if failures:
        raise _of_all(failures, reached, path)
    return " and ".join(reached)


def _of_all(failures: Sequence[RunError], reached: Sequence[str], path: Path) -> RunError:
    """The first failure as one of its kind, with what became of the rest."""
    first = failures[0]
    words = [first.message, *(error.message for error in failures[1:])]
    words += [f"delivered to {where}" for where in reached]
    words.append(f"the predictions are safe in {path}")
    again = f"{first.remedy}; `numerai-predict deliver {path}` sends them again"
    return type(first)("; ".join(words), again)
