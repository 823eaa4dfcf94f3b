"""Limits of responses: of bodies, and of headers, which `http.client` reads without any on time.

The timeout of a socket applies to one read: a server that sends one byte at a time, or one
interim response (100 Continue) after the other, is never silent and never ends.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
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
# A number of more digits is no size, and Python converts at most 4,300.
_MOST_DIGITS = 18
CONTENT_RANGE = re.compile(rf"bytes (\d{{1,{_MOST_DIGITS}}})-\d+/(\d{{1,{_MOST_DIGITS}}})")
HEADER_SECONDS = 25.0
_GRACE_SECONDS = 1.0  # after the first byte, which a busy server may send late


class UnusableHeaders(OSError):
    """The headers of a response are too slow, too many or too long; a retry does not help."""


@dataclass
class HeaderBudget:
    """Seconds that the headers of one request and of its redirects may take together.

    A server that is silent does not use it up: the timeout of the socket is for that.
    """

    left: float = field(default_factory=lambda: HEADER_SECONDS)


class LimitedResponse(http.client.HTTPResponse):
    """A response whose headers arrive within the budget of its class, or not at all."""

    budget = HeaderBudget()

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self._socket = sock

    def begin(self) -> None:
        """Read the status line and the headers.

        Raises:
            UnusableHeaders: they do not end, or not within the budget.
        """
        if self.headers is not None:  # they were read for a tunnel through a proxy
            super().begin()
            return
        fp: Any = self.fp
        reader = _LimitedReader(fp.detach(), self._socket, self.budget.left)
        self.fp = io.BufferedReader(reader)
        started = time.monotonic()
        try:
            super().begin()
        except http.client.HTTPException as error:
            if isinstance(error, http.client.LineTooLong) or type(error) is (
                http.client.HTTPException
            ):  # "got more than 100 headers"
                raise UnusableHeaders("too many or too long headers") from error
            raise
        finally:
            reader.lift_limit()
            self.budget.left -= time.monotonic() - started


class _LimitedReader(io.RawIOBase):
    """The bytes of a socket; once the first have come, the rest must come in time."""

    def __init__(self, raw: io.RawIOBase, connected: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._socket = connected
        self._until = time.monotonic() + seconds
        self._timeout = connected.gettimeout()
        self._limited = True
        self._started = False

    def readable(self) -> bool:
        """Always true, as `io.BufferedReader` asks."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """As of the socket; `None` never occurs, as it blocks."""
        if not (self._limited and self._started):
            count = self._raw.readinto(buffer)
            self._note_first_byte()
            return int(count)
        left = self._until - time.monotonic()
        if left <= 0:
            raise UnusableHeaders("headers that are too slow")
        self._socket.settimeout(left if self._timeout is None else min(left, self._timeout))
        try:
            return int(self._raw.readinto(buffer))
        except TimeoutError as error:
            if time.monotonic() < self._until:  # a silence, for which the socket has its own limit
                raise
            raise UnusableHeaders("headers that are too slow") from error
        finally:
            self._socket.settimeout(self._timeout)

    def _note_first_byte(self) -> None:
        if not self._started:
            self._started = True
            self._until = max(self._until, time.monotonic() + _GRACE_SECONDS)

    def lift_limit(self) -> None:
        """The headers are complete: the body has limits of its own."""
        self._limited = False

    def close(self) -> None:
        """Close the socket's reader too."""
        self._raw.close()
        super().close()


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
    return int(length) if length.isdecimal() and len(length) <= _MOST_DIGITS else None


def read_available(response: requests.Response) -> bytes:
    """The bytes of one read; none at the end.

    A read of a fixed size would wait until all of it has arrived.
    """
    raw: Any = response.raw
    reader = raw if hasattr(raw, "read1") else raw._fp  # a private attribute before urllib3 2
    chunk: bytes = reader.read1(_CHUNK_BYTES)
    return chunk
