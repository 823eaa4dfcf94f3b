"""Limits of a response's status line and headers, which `http.client` reads without any on time.

The timeout of a socket applies to one read: a server that sends one byte at a time, or one
interim response (100 Continue) after the other, is never silent and never ends.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from dataclasses import dataclass, field
from typing import Any

HEADER_SECONDS = 25.0
_GRACE_SECONDS = 1.0  # after the first byte, which a busy server may send late


class UnusableHeaders(OSError):
    """The headers of a response are too slow, too many or too long; another try is no remedy."""


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
