"""Identifies the tournament's servers: where a request goes, and where data came from."""

from __future__ import annotations

from urllib.parse import urlsplit

API_URL = "https://api-tournament.numer.ai"


def server_of(url: str) -> str:
    """Scheme, host and port of a URL, which identify a server.

    A URL that is none names a server that nothing comes from; a request to it is refused.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # such as `http://[::1`
        return "invalid://"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


REAL_SERVER = server_of(API_URL)


def same_server(first: str, second: str) -> bool:
    """Whether two servers are the same; every server on this machine is a practice tournament.

    The port of the practice tournament may differ after a restart.
    """
    return first == second or (is_loopback(first) and is_loopback(second))


def is_loopback(server: str) -> bool:
    """Whether the server is on this machine."""
    try:
        host = urlsplit(server).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "::1") or host.startswith("127.")
