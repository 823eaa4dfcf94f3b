"""Bodies of HTTP responses: read as they arrive, undecoded and bounded."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from typing import Any

import requests
import urllib3

# requests does not wrap every error of urllib3.
TRANSFER_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,  # a redirect to an invalid URL
)

_CHUNK_BYTES = 1024 * 1024
_LONGEST_ERROR_BYTES = 64 * 1024
_LONGEST_ERROR_SECONDS = 5.0


def read_whole(response: requests.Response, most: int, until: float) -> bytes:
    """The streamed body, undecoded, at most `most` bytes of it; `until` is a monotonic time.

    Raises:
        TimeoutError: it takes longer.
        requests.RequestException, OSError: the connection failed, or the body was cut short.
    """
    parts, size = [], 0
    while size < most and (chunk := read_available(response)):
        if time.monotonic() > until:
            raise TimeoutError("the body of the response takes too long")
        parts.append(chunk)
        size += len(chunk)
    expected = declared_length(response.headers)
    if expected is not None and size < min(expected, most):
        raise requests.exceptions.ChunkedEncodingError("the body of the response was cut short")
    return b"".join(parts)[:most]


def read_start(
    response: requests.Response,
    most: int = _LONGEST_ERROR_BYTES,
    seconds: float = _LONGEST_ERROR_SECONDS,
) -> bytes:
    """The first bytes of a streamed body, undecoded; fewer if they arrive too slowly.

    Raises:
        requests.RequestException, OSError: the connection failed.
    """
    start, until = b"", time.monotonic() + seconds
    while len(start) < most and time.monotonic() < until:
        chunk = read_available(response)
        if not chunk:
            break
        start += chunk
    return start[:most]


def declared_length(headers: Mapping[str, str]) -> int | None:
    """The value of `Content-Length`; `None` without a valid one."""
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def read_available(response: requests.Response) -> bytes:
    """The bytes of one read; none at the end.

    A read of a fixed size would wait until all of it has arrived.
    """
    raw: Any = response.raw
    reader = raw if hasattr(raw, "read1") else raw._fp  # a private attribute before urllib3 2
    chunk: bytes = reader.read1(_CHUNK_BYTES)
    return chunk
