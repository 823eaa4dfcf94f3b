"""Amazon S3 and compatible servers, by boto3.

boto3 finds credentials, region and endpoint: in the environment, in ~/.aws, or by the role of
the machine or container. Retries and time limits are those of the transfer policy.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3.session
import botocore.config
import botocore.exceptions
import urllib3

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed, FetchFailed
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.storage.hard_timeout import run_with_hard_timeout
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.transfer.download import STEP, Body, Opener, RangeNotSupported
from numerai_predict.storage.transfer.http import describe_network_error
from numerai_predict.storage.transfer.response_headers import (
    CONTENT_RANGE,
    HEADER_SECONDS,
    declared_length,
)
from numerai_predict.storage.transfer.server_errors import ErrorResponse, ServerError

_CHUNK_BYTES = 60 * 1024
_CHUNK_SECONDS = 30.0  # 2048 bytes a second, as for other transfers
_SILENCE_SECONDS = 20.0  # shorter than what the whole response may take
_MAX_CHARACTERS = 300
_T = TypeVar("_T")
# What botocore raises where a header has another form than that of S3: a number, a date.
_UNREADABLE = (ValueError, RuntimeError)
_ERRORS = (
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
    urllib3.exceptions.HTTPError,
    OSError,
    *_UNREADABLE,
)
_REMEDY = "check the name, and whether the credentials in use may reach it"
_BROKEN = (
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.ConnectionError,
    botocore.exceptions.FlexibleChecksumError,
    botocore.exceptions.IncompleteReadError,
)


@dataclass(frozen=True)
class S3Location:
    """A bucket, and an object's key in it or the prefix of many."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def s3_opener(location: S3Location, source: str, policy: TransferPolicy) -> Opener:
    """An opener of the object; see `download`."""

    @contextmanager
    def open_(start: int, etag: str | None) -> Iterator[Body]:
        rest = {"Range": f"bytes={start}-", "IfMatch": etag} if start and etag else {}
        with _fetch_errors(source, policy, start):
            client = _client(policy, STEP)
            response = _within(
                lambda: client.get_object(Bucket=location.bucket, Key=location.key, **rest),
                HEADER_SECONDS,
            )
        with response["Body"] as stream:

            def read() -> bytes:
                with _fetch_errors(source, policy):
                    return _within(lambda: bytes(stream.read(_CHUNK_BYTES)), _CHUNK_SECONDS)

            yield _body(response, read)

    return open_


@contextmanager
def _fetch_errors(source: str, policy: TransferPolicy, start: int = 0) -> Iterator[None]:
    """Translate errors of boto3 and the network into those of a fetch."""
    try:
        yield
    except _ERRORS as error:
        policy.deadline.check(STEP)
        raise _fetch_error(error, source, start) from None


class _SlowResponse(OSError):
    """A response of which too little arrived in time."""


def _within(work: Callable[[], _T], seconds: float) -> _T:
    """What `work` returns, or `_SlowResponse`: timeouts of boto3 apply to one read each."""
    try:
        return run_with_hard_timeout(work, Deadline.after(seconds), STEP)
    except DeadlinePassed:
        raise _SlowResponse from None


def upload_object(path: Path, location: S3Location, policy: TransferPolicy, step: str) -> None:
    """Upload the file as that object, the same bytes at every attempt.

    Raises:
        UploadFailed: the server refuses, or there are no credentials.
        UploadInterrupted: after all attempts no connection, or a busy server.
        DeadlinePassed: the time for the whole run is over.
    """
    content = path.read_bytes()
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()

    def attempt() -> None:
        try:
            _client(policy, step).put_object(
                Bucket=location.bucket,
                Key=location.key,
                Body=content,
                ContentMD5=digest,  # S3 rejects other bytes
                ContentType="text/csv",
            )
        except _ERRORS as error:
            policy.deadline.check(step)
            raise _describe_error(error).uploading(str(location)) from None

    policy.repeat(attempt, step)


def _client(policy: TransferPolicy, step: str) -> Any:
    connect, read = policy.request_timeouts(step)
    config = botocore.config.Config(
        connect_timeout=connect,
        read_timeout=min(read, _SILENCE_SECONDS),
        retries={"total_max_attempts": 1},
        request_checksum_calculation="when_required",
    )
    return boto3.session.Session().client("s3", config=config)


def _body(response: dict[str, Any], read: Callable[[], bytes]) -> Body:
    headers = _headers(response)
    matched = CONTENT_RANGE.fullmatch(response.get("ContentRange", ""))
    return Body(
        read,
        headers,
        start=int(matched[1]) if matched else 0,
        total=int(matched[2]) if matched else declared_length(headers),
    )


def _headers(response: dict[str, Any]) -> Any:
    """The headers of the response, with case-insensitive names."""
    from requests.structures import CaseInsensitiveDict

    return CaseInsensitiveDict(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}))


def _fetch_error(error: Exception, source: str, start: int) -> FetchFailed:
    if isinstance(error, botocore.exceptions.ClientError) and start:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status in (412, 416):
            return RangeNotSupported(
                f"expected the rest of {source} from byte {start}, found another object",
                "try again",
            )
    if isinstance(error, botocore.exceptions.ClientError):
        return _error_response(error.response).without_body().server_error().fetching(source)
    return _describe_error(error).fetching(source)


def _describe_error(error: Exception) -> ServerError:
    if isinstance(error, _SlowResponse):
        return ServerError("a server that sends too slowly", "check the endpoint of S3")
    if isinstance(error, botocore.exceptions.ClientError):
        return _error_response(error.response).server_error()
    if isinstance(error, botocore.exceptions.SSLError):
        return describe_network_error(error.kwargs.get("error") or error)
    if isinstance(error, _BROKEN):
        found = "no connection, or one that was closed or stopped responding"
        return ServerError(found, "check the network and the endpoint, then try again", True)
    if isinstance(error, botocore.exceptions.BotoCoreError):
        return ServerError(
            one_line(error, _MAX_CHARACTERS),
            "check that boto3 finds credentials and a region on this machine",
        )
    if isinstance(error, _UNREADABLE) and not isinstance(error, OSError):
        found = "a response whose headers are not those of S3"
        return ServerError(found, "check the endpoint: another program may respond there")
    return describe_network_error(error)


def _error_response(response: Any) -> ErrorResponse:
    metadata, error = response.get("ResponseMetadata", {}), response.get("Error", {})
    return ErrorResponse(
        int(metadata.get("HTTPStatusCode", 0)),
        "",
        _headers(response),
        _REMEDY,
        code=str(error.get("Code", "")),
        message=str(error.get("Message", "")),
        request_id=str(metadata.get("RequestId", "")),
    )
