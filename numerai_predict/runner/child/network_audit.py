"""Reports network hosts that a model tries to reach, through an audit hook of Python.

The hosts appear in the message of the failure that follows. The hook denies nothing: the sandbox
does. It also remembers the last database, for the same purpose.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numerai_predict.runner.child import databases

_MAX_HOSTS = 3
_MAX_HOST_CHARACTERS = 200

_LOOPBACK = ("127.", "::1", "localhost")

_report: Callable[[str], None] | None = None
_reported: set[str] = set()
_reporting_lock = threading.Lock()


def install_audit_hook(report: Callable[[str], None], *, loopback: bool = False) -> None:
    """Call `report` with the host of each of the first attempts to reach the network.

    Where the model has a `loopback` interface of its own, reaching that is none.
    """
    global _report
    _report = report
    process = os.getpid()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _HOSTS and os.getpid() == process:
            host = _HOSTS[event](arguments)
            if not (loopback and host is not None and host.startswith(_LOOPBACK)):
                _report_once(host)
        elif event == databases.CONNECT and os.getpid() == process:
            databases.keep_path(arguments)

    sys.addaudithook(hook)


def stop_reporting() -> None:
    """Report nothing more: the next frame on the pipe must be the response."""
    global _report
    with _reporting_lock:
        _report = None


@contextmanager
def pause_reporting() -> Iterator[None]:
    """Keep other threads from writing to the pipe during the block."""
    with _reporting_lock:
        yield


def _report_once(host: str | None) -> None:
    if host is None or host in _reported or len(_reported) >= _MAX_HOSTS:
        return
    with _reporting_lock:
        _reported.add(host)
        if _report is not None:
            _report(host)


def _host_of_address(address: Any) -> str | None:
    if not isinstance(address, tuple) or len(address) < 2:  # a local socket
        return None
    return _host_with_port(address[0], address[1])


def _host_with_port(host: Any, port: Any = None) -> str | None:
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in ("", socket.gethostname()):
        return None
    return (
        f"{name}:{port}"[:_MAX_HOST_CHARACTERS]
        if isinstance(port, int | str)
        else name[:_MAX_HOST_CHARACTERS]
    )


_HOSTS: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "socket.connect": lambda arguments: _host_of_address(arguments[1]),
    "socket.sendto": lambda arguments: _host_of_address(arguments[1]),
    "socket.getaddrinfo": lambda arguments: _host_with_port(arguments[0], arguments[1]),
    "socket.gethostbyname": lambda arguments: _host_with_port(arguments[0]),
}
