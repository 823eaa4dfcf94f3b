"""The lanes of the suite: what a test needs is found from its directory and its fixtures.

Each test gets the markers of `NEEDS` that apply to it; a test without any is a unit test. The
markers cannot go out of date: a unit test that starts a process or opens a socket fails, and its
message names the marker to add.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

NEEDS = ("docker", "ray", "server", "process", "slow")

_BY_FOLDER = {
    "tests/attacks": ("process",),
    "tests/notebooks": ("process", "slow"),
}
_BY_FIXTURE = {
    # The environment of a process that a test starts: `run_model` and its like depend on it.
    "clean_environment": ("process",),
    "chromium": ("process", "slow"),
    "fleet": ("ray", "slow"),
    "actor": ("process",),
    "new_actor": ("process",),
    "image": ("docker", "process"),
    "python_image": ("docker", "process"),
    "warm": ("process",),
    "mounted": ("process",),
    "trained": ("process", "slow"),
    "bad_tls": ("server", "process"),
    "closed_port": ("server",),
    "faults": ("server",),
    "practice_server": ("server", "process"),
    "s3": ("server",),
    "strict_s3": ("server", "process"),
    "web": ("server",),
}

MARKED_FIXTURES = frozenset(_BY_FIXTURE)

_THIS_MACHINE = ("127.0.0.1", "::1")
_PROCESS_EVENTS = {
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
}
_SOCKET_EVENTS = {"socket.bind", "socket.connect", "socket.getaddrinfo"}


def markers_of(path: str, fixtures: list[str]) -> set[str]:
    """The markers of a test, by its path relative to the checkout and by its fixtures."""
    found = {
        marker
        for folder, markers in _BY_FOLDER.items()
        if path.startswith(f"{folder}/")
        for marker in markers
    }
    return found.union(*(_BY_FIXTURE.get(fixture, ()) for fixture in fixtures))


def mark(item: pytest.Item) -> None:
    """Add the markers of the test's directory and fixtures; without any, the marker `unit`."""
    path = item.path.relative_to(item.config.rootpath).as_posix()
    for marker in sorted(markers_of(path, getattr(item, "fixturenames", []))):
        item.add_marker(marker)
    if is_unit(item):
        item.add_marker("unit")


def is_unit(item: pytest.Item) -> bool:
    """Whether no marker of the test says that it needs more than this process."""
    return not any(item.get_closest_marker(name) for name in NEEDS)


class Guard:
    """Refuses connections to other machines; to unit tests also processes and sockets.

    It listens to Python's audit events, so that it sees what a library does too. A process that
    a test starts is not watched.
    """

    def __init__(self) -> None:
        self._lane: str | None = None
        sys.addaudithook(self._check)

    @contextmanager
    def around(self, item: pytest.Item) -> Iterator[None]:
        """Watch one test, its fixtures included."""
        self._lane = "unit" if is_unit(item) else "other"
        try:
            yield
        finally:
            self._lane = None

    def _check(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._lane is None or event not in _PROCESS_EVENTS | _SOCKET_EVENTS:
            return
        if event == "socket.connect" and _is_remote(arguments[1]):
            arguments[0].close()
            raise AssertionError(f"a test tried to reach {arguments[1]}")
        if self._lane == "unit":
            marker = "process" if event in _PROCESS_EVENTS else "server"
            raise AssertionError(
                f"expected no {marker} in a unit test, found {event}{arguments}: "
                f"add pytest.mark.{marker}, or use a fixture that has the marker"
            )


def _is_remote(address: Any) -> bool:
    return isinstance(address, tuple) and address[0] not in _THIS_MACHINE
