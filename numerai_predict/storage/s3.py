"""Amazon S3 and what speaks like it, by boto3.

Credentials, region and endpoint come from where boto3 takes them: the environment, the
files in ~/.aws, the machine's or container's role. Tries and time limits are ours.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3.session
import botocore.config
import botocore.exceptions
import urllib3

from numerai_predict.contract.errors import FetchFailed
from numerai_predict.storage.download import STEP, Body, Opener, RangeNotSupported
from numerai_predict.storage.http import describe_network_error
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.server_errors import ErrorResponse, ServerError

_CHUNK_BYTES = 256 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_ERRORS = (
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
    urllib3.exceptions.HTTPError,
    OSError,
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
    """Opens an object."""

    @contextmanager
    def open_(start: int, etag: str | None) -> Iterator[Body]:
        rest = {"Range": f"bytes={start}-", "IfMatch": etag} if start and etag else {}
        with _telling(source, policy, start):
            client = _client(policy, STEP)
            answer = client.get_object(Bucket=location.bucket, Key=location.key, **rest)
        with answer["Body"] as stream:

            def read() -> bytes:
                with _telling(source, policy):
                    return bytes(stream.read(_CHUNK_BYTES))

            yield _body(answer, read)

    return open_


@contextmanager
def _telling(source: str, policy: TransferPolicy, start: int = 0) -> Iterator[None]:
    """Turn what breaks on the way from S3, and that alone, into the error of a fetch."""
    try:
        yield
    except _ERRORS as error:
        policy.deadline.check(STEP)
        raise _fetch_error(error, source, start) from None


def upload_object(path: Path, location: S3Location, policy: TransferPolicy, step: str) -> None:
    """Store the file as that object, the same bytes at every try.

    Raises:
        UploadFailed: the server refuses, or there are no credentials.
        UploadInterrupted: no connection, or an answer that asks to come back, time and again.
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
                ContentMD5=digest,  # S3 stores these bytes or none
                ContentType="text/csv",
            )
        except _ERRORS as error:
            policy.deadline.check(step)
            raise _trouble(error).uploading(str(location)) from None

    policy.repeat(attempt, step)


def _client(policy: TransferPolicy, step: str) -> Any:
    connect, read = policy.request_timeouts(step)
    config = botocore.config.Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"total_max_attempts": 1},
        request_checksum_calculation="when_required",
    )
    return boto3.session.Session().client("s3", config=config)


def _body(answer: dict[str, Any], read: Callable[[], bytes]) -> Body:
    headers = _headers(answer)
    matched = _CONTENT_RANGE.fullmatch(answer.get("ContentRange", ""))
    return Body(
        read,
        headers,
        start=int(matched[1]) if matched else 0,
        total=int(matched[2]) if matched else answer["ContentLength"],
    )


def _headers(answer: dict[str, Any]) -> Any:
    """The answer's headers, by their names in any case."""
    from requests.structures import CaseInsensitiveDict

    return CaseInsensitiveDict(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}))


def _fetch_error(error: Exception, source: str, start: int) -> FetchFailed:
    if isinstance(error, botocore.exceptions.ClientError) and start:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status in (412, 416):
            return RangeNotSupported(
                f"expected the rest of {source} from byte {start}, found another object",
                "try again",
            )
    return _trouble(error).fetching(source)


def _trouble(error: Exception) -> ServerError:
    if isinstance(error, botocore.exceptions.ClientError):
        return _trouble_of_answer(error.response)
    if isinstance(error, botocore.exceptions.SSLError):
        return describe_network_error(error.kwargs.get("error") or error)
    if isinstance(error, _BROKEN):
        words = "no connection, or one that broke or fell silent"
        return ServerError(words, "check the network and the endpoint, then try again", True)
    if isinstance(error, botocore.exceptions.BotoCoreError):
        return ServerError(
            str(error), "see that boto3 finds credentials and a region on this machine"
        )
    return describe_network_error(error)


def _trouble_of_answer(answer: Any) -> ServerError:
    meta, said = answer.get("ResponseMetadata", {}), answer.get("Error", {})
    refusal = ErrorResponse(
        int(meta.get("HTTPStatusCode", 0)),
        "",
        _headers(answer),
        _REMEDY,
        code=str(said.get("Code", "")),
        message=str(said.get("Message", "")),
        request_id=str(meta.get("RequestId", "")),
    )
    return refusal.server_error()
