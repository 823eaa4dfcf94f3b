"""What a model tries that it may not: told as it happens, so that its failure has a cause.

Python names such attempts to whoever listens (`sys.addaudithook`). They are words for
the message and nothing more: it is the sandbox that denies.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_MOST_TOLD = 3
_LONGEST = 200

_tell: Callable[[str], None] | None = None
_told: set[str] = set()
_telling = threading.Lock()


def install_audit_hook(how: Callable[[str], None]) -> None:
    """Hand `how` the host of the first attempts to reach the network, one call each."""
    global _tell
    _tell = how
    process = os.getpid()

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _HOSTS and os.getpid() == process:
            _tell_once(_HOSTS[event](arguments))

    sys.addaudithook(listen)


def stop_reporting() -> None:
    """Tell nothing more: what comes on the pipe now must be the answer."""
    global _tell
    with _telling:
        _tell = None


@contextmanager
def pause_reporting() -> Iterator[None]:
    """Have the pipe to oneself for the block."""
    with _telling:
        yield


def _tell_once(host: str | None) -> None:
    if host is None or host in _told or len(_told) >= _MOST_TOLD:
        return
    with _telling:
        _told.add(host)
        if _tell is not None:
            _tell(host)


def _of_address(address: Any) -> str | None:
    if not isinstance(address, tuple) or len(address) < 2:  # a path, or this machine's own
        return None
    return _of_host(address[0], address[1])


def _of_host(host: Any, port: Any = None) -> str | None:
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in ("", socket.gethostname()):
        return None
    return f"{name}:{port}"[:_LONGEST] if isinstance(port, int | str) else name[:_LONGEST]


_HOSTS: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "socket.connect": lambda arguments: _of_address(arguments[1]),
    "socket.sendto": lambda arguments: _of_address(arguments[1]),
    "socket.getaddrinfo": lambda arguments: _of_host(arguments[0], arguments[1]),
    "socket.gethostbyname": lambda arguments: _of_host(arguments[0]),
}
