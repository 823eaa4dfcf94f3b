"""The suite keeps off the network, and its unit tests off processes and sockets."""

import os
import socket
import subprocess
import sys

import lanes
import pytest
import requests


@pytest.mark.server
def test_a_connection_to_another_machine_fails():
    with socket.socket() as client, pytest.raises(AssertionError, match="tried to reach"):
        client.connect(("192.0.2.1", 80))


@pytest.mark.server
def test_requests_cannot_leave_this_machine():
    with pytest.raises(AssertionError, match="tried to reach"):
        requests.get("http://192.0.2.1/", timeout=1)


def test_a_server_of_this_machine_can_be_reached(web):
    web.replies["/"] = web.reply(b"found")
    assert requests.get(f"{web.url}/", timeout=10).content == b"found"


def test_a_unit_test_that_starts_a_process_fails_and_names_the_marker():
    with pytest.raises(AssertionError, match=r"add pytest\.mark\.process"):
        subprocess.run([sys.executable, "--version"])
    with pytest.raises(AssertionError, match=r"found os\.fork"):
        os.fork()


def test_a_unit_test_that_opens_a_server_fails_and_names_the_marker():
    with socket.socket() as server:
        with pytest.raises(AssertionError, match=r"add pytest\.mark\.server"):
            server.bind(("127.0.0.1", 0))
        with pytest.raises(AssertionError, match=r"found socket\.connect"):
            server.connect(("127.0.0.1", 1))


@pytest.mark.parametrize(
    ("path", "fixtures", "expected"),
    [
        ("tests/contract/test_limits.py", ["tmp_path"], set()),
        ("tests/attacks/test_escapes.py", ["sample"], {"process"}),
        (
            "tests/runner/test_live_data.py",
            ["run_model", "clean_environment", "web"],
            {"process", "server"},
        ),
    ],
)
def test_folder_and_fixtures_give_the_markers(path, fixtures, expected):
    assert lanes.markers_of(path, fixtures) == expected


def test_a_test_has_the_marker_of_its_lane(request):
    assert request.node.get_closest_marker("unit")


def test_every_fixture_that_gives_a_marker_exists():
    sources = "".join(path.read_text() for path in (lanes.ROOT / "tests").rglob("*.py"))
    defined = ("def {}(", 'parametrize("{}"')
    unknown = [
        name
        for name in sorted(lanes.MARKED_FIXTURES)
        if not any(form.format(name) in sources for form in defined)
    ]
    assert unknown == []
