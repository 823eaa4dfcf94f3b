"""A registry's files in a bucket of S3, or of a compatible server with conditional writes.

A file is created with `If-None-Match: *`: the server refuses a name that is taken, so that of
several writers one alone succeeds.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3.exceptions
import boto3.session
import botocore.config
import botocore.exceptions
import botocore.parsers
import s3transfer.exceptions

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.registry_errors import RegistryUnavailable
from numerai_predict.storage.retry import Backoff, RetryPolicy

_NAME_EXISTS = ("PreconditionFailed", "412")
_CONFLICT = ("ConditionalRequestConflict", "409")
_MISSING = ("NoSuchKey", "404", "NotFound")
_ATTEMPTS = 5
_SECONDS = 20
_MAX_CHARACTERS = 300
_MAX_NAMES = 1_000_000
# The server may be anybody's: a response may lack fields, or hold others than those of S3.
_FAILURES = (
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    botocore.parsers.ResponseParserError,
    boto3.exceptions.Boto3Error,
    s3transfer.exceptions.TransferNotDoneError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
)


class _WriteConflict(Exception):
    """Another writer is creating the same object: the server wants another attempt."""


# boto3 repeats what the network interrupts; it leaves a conflict of two writers to its caller.
_CONFLICT_RETRY = RetryPolicy(_ATTEMPTS, Backoff(0.1, 1.0), retry_on=(_WriteConflict,))


class S3Store:
    """A store in the objects of a bucket whose keys begin with a prefix; see `Store`."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket, self._prefix = bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        config = botocore.config.Config(
            connect_timeout=_SECONDS,
            read_timeout=_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        )
        self._client: Any = boto3.session.Session().client("s3", config=config)

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    def create(self, name: str, content: bytes) -> bool:
        """See `Store.create`; an attempt whose response was lost is recognised as this one's."""
        try:
            with self._explained():
                return _CONFLICT_RETRY.call(
                    lambda: self._create(name, content), Deadline(), "create"
                )
        except _WriteConflict:
            raise RegistryUnavailable(
                f"expected to create {name} in {self}, found other writers each time",
                "try again",
            ) from None

    def add_file(self, name: str, source: Path) -> None:
        """See `Store.add_file`."""
        with self._explained():
            self._client.upload_file(str(source), self._bucket, self._prefix + name)

    def read(self, name: str, most: int) -> bytes | None:
        """See `Store.read`."""
        with self._explained():
            try:
                body: bytes = self._client.get_object(**self._key(name))["Body"].read(most)
            except botocore.exceptions.ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
            return body

    def size(self, name: str) -> int | None:
        """See `Store.size`."""
        with self._explained():
            found = self._head(name)
            return None if found is None else int(found["ContentLength"])

    def copy_to(self, name: str, target: Path) -> bool:
        """See `Store.copy_to`."""
        with self._explained():
            try:
                self._client.download_file(self._bucket, self._prefix + name, str(target))
            except botocore.exceptions.ClientError as error:
                if _code(error) in _MISSING:
                    return False
                raise
            return True

    def names(self, prefix: str) -> list[str]:
        """See `Store.names`."""
        with self._explained():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            keys = (each["Key"] for page in pages for each in page.get("Contents", ()))
            found = sorted(itertools.islice(keys, _MAX_NAMES + 1))
            if len(found) > _MAX_NAMES:
                raise ValueError(f"more than {_MAX_NAMES:,} objects")
            return [key.removeprefix(self._prefix) for key in found if key.startswith(self._prefix)]

    def require_writable(self) -> None:
        """See `Store.require_writable`: writes and removes an object."""
        with self._explained():
            self._client.put_object(**self._key("any"), Body=b"")
            self.remove("any")

    def age(self, name: str) -> float:
        """See `Store.age`."""
        with self._explained():
            found = self._head(name)
            return 0.0 if found is None else time.time() - found["LastModified"].timestamp()

    def remove(self, name: str) -> None:
        """See `Store.remove`."""
        with self._explained():
            self._client.delete_object(**self._key(name))

    def _create(self, name: str, content: bytes) -> bool:
        try:
            self._client.put_object(**self._key(name), Body=content, IfNoneMatch="*")
        except botocore.exceptions.ClientError as error:
            if _code(error) in _NAME_EXISTS:
                return self.read(name, len(content) + 1) == content
            if _code(error) in _CONFLICT:
                raise _WriteConflict from error
            raise
        return True

    def _key(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def _head(self, name: str) -> Any:
        """What the server states about an object; `None` without one."""
        try:
            return self._client.head_object(**self._key(name))
        except botocore.exceptions.ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            raise RegistryUnavailable(
                f"expected to read and write the registry in {self}, found: "
                f"{type(error).__name__}: {one_line(error, _MAX_CHARACTERS)}",
                "check the bucket, the credentials and the region; boto3 finds them in the "
                "environment or in ~/.aws",
            ) from None


def _code(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
