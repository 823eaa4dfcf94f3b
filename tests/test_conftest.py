"""The suite itself keeps off the network."""

import socket

import pytest
import requests


def test_a_connection_to_another_machine_fails():
    with socket.socket() as client, pytest.raises(AssertionError, match="tried to reach"):
        client.connect(("192.0.2.1", 80))


def test_requests_cannot_leave_this_machine():
    with pytest.raises(AssertionError, match="tried to reach"):
        requests.get("http://192.0.2.1/", timeout=1)


def test_a_server_of_this_machine_can_be_reached(web):
    web.replies["/"] = web.reply(b"here")
    assert requests.get(f"{web.url}/", timeout=10).content == b"here"
