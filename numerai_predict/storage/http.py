"""HTTP transfers: streamed, bounded in time, and never half a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import urllib3

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.contract.redaction import redact, redact_text
from numerai_predict.storage.files import atomic_write

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0

_CHUNK_BYTES = 1024 * 1024
_LONGEST_ERROR_BYTES = 64 * 1024
# urllib3's own errors come through requests where it does not expect them.
TRANSFER_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError)

_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


def download(url: str, target: Path, deadline: Deadline) -> Path:
    """Stream `url` to `target` and return it.

    Raises:
        FetchFailed: the server refuses.
        FetchInterrupted: no connection, a broken or truncated transfer, or an
            answer that asks to come back later.
        DeadlinePassed: the time for the whole run is over.
    """
    source = redact(url)
    try:
        with requests.get(
            url,
            stream=True,
            timeout=timeouts(deadline, "fetch"),
            headers={"Accept-Encoding": "identity"},  # the bytes as they are stored
        ) as response:
            _require_success(response, source)
            with atomic_write(target) as handle:
                for chunk in _body(response, source):
                    deadline.check("fetch")
                    handle.write(chunk)
    except TRANSFER_ERRORS as error:
        deadline.check("fetch")
        raise FetchInterrupted(
            f"expected {source}, found {reason(error)}",
            "check the host name and the network, then try again",
        ) from None  # the cause's text holds the whole URL
    return target


def timeouts(deadline: Deadline, step: str) -> tuple[float, float]:
    """Seconds to connect and seconds between two reads, within the deadline."""
    return deadline.wait(CONNECT_SECONDS, step), deadline.wait(READ_SECONDS, step)


def is_transient(status: int) -> bool:
    """Whether the same request may succeed later."""
    return status in _TRANSIENT_STATUS


def server_error(response: requests.Response) -> str:
    """The server's own words: status, and S3's error code, message and request id."""
    start = next(response.iter_content(_LONGEST_ERROR_BYTES), b"").decode(errors="replace")
    parts = [f"HTTP {response.status_code} {response.reason or ''}".strip()]
    for tag in ("Code", "Message", "RequestId"):
        if match := re.search(f"<{tag}>([^<]{{1,300}})</{tag}>", start):
            parts.append(match[1] if tag != "RequestId" else f"request id {match[1]}")
    return redact_text(", ".join(parts))


def reason(error: Exception) -> str:
    """What broke, in words that hold no URL: their queries are secrets."""
    kinds = (
        (requests.exceptions.SSLError, "a TLS failure: the certificate or the connection is bad"),
        (requests.exceptions.ConnectTimeout, "no answer to the attempt to connect"),
        (requests.exceptions.Timeout, f"nothing sent for {READ_SECONDS:.0f} s"),
        (requests.exceptions.ChunkedEncodingError, "a connection that broke within the body"),
        (requests.exceptions.ConnectionError, "no connection: unknown host, refused or reset"),
        (urllib3.exceptions.SSLError, "a TLS failure: the certificate or the connection is bad"),
        (urllib3.exceptions.TimeoutError, f"nothing sent for {READ_SECONDS:.0f} s"),
        (urllib3.exceptions.ProtocolError, "a connection that broke within the body"),
        (requests.exceptions.InvalidURL, "a host name that cannot be one"),
        (urllib3.exceptions.LocationValueError, "a host name that cannot be one"),
    )
    return next((words for kind, words in kinds if isinstance(error, kind)), type(error).__name__)


def _require_success(response: requests.Response, source: str) -> None:
    if response.ok:
        return
    found = f"expected {source}, found {server_error(response)}"
    if is_transient(response.status_code):
        raise FetchInterrupted(found, "the server is busy: try again later")
    raise FetchFailed(
        found,
        "check the URL; a presigned one ends to be valid after its time: make a new one",
    )


def _body(response: requests.Response, source: str) -> Iterator[bytes]:
    """The body in chunks, complete by its declared length."""
    received = 0
    while chunk := _read_some(response):
        received += len(chunk)
        yield chunk
    declared = response.headers.get("Content-Length")
    if declared is not None and received != int(declared):
        raise FetchInterrupted(
            f"expected {declared} bytes of {source}, found {received}",
            "the transfer was cut short: try again",
        )


def _read_some(response: requests.Response) -> bytes:
    """The bytes that one read gives, nothing at the end.

    A read of a fixed size would wait for all of it, however slowly the server drips.
    """
    raw: Any = response.raw
    reader = raw if hasattr(raw, "read1") else raw._fp  # urllib3 before 2 hides it
    some: bytes = reader.read1(_CHUNK_BYTES)
    return some
