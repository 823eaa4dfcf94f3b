"""A web server on this machine, which a test fills with replies."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import evidence


@dataclass
class Request:
    """A request as the web server received it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """A response of the web server; the declared length may be wrong."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip_seconds: float | None = None


@dataclass
class Web:
    """The server's URL, its replies by path, and the requests it received."""

    url: str
    replies: dict[str, Reply | Callable[[Request], Reply]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    reply: type[Reply] = Reply


class _Handler(http.server.BaseHTTPRequestHandler):
    web: Web
    stopping: threading.Event

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, parts.path, parts.query, dict(self.headers), body)
        self.web.requests.append(request)
        evidence.add_request_secrets(parts.query, request.headers, body)
        reply = self.web.replies.get(parts.path, Reply(b"not found", 404))
        reply = reply(request) if callable(reply) else reply
        self._send(reply)
        while reply.drip_seconds and not self.stopping.is_set():  # until the client disconnects
            try:
                self.wfile.write(b".")
            except OSError:
                return
            time.sleep(reply.drip_seconds)

    do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the names that http.server calls

    def _send(self, reply: Reply) -> None:
        has_date = "Date" in reply.headers
        (self.send_response_only if has_date else self.send_response)(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


@contextmanager
def running_server() -> Iterator[Web]:
    """Start a server on a free port of 127.0.0.1 and stop it at the end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    web = Web(f"http://127.0.0.1:{server.server_port}")
    stopping = threading.Event()
    server.RequestHandlerClass = type("Handler", (_Handler,), {"web": web, "stopping": stopping})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield web
    stopping.set()
    server.shutdown()
    thread.join()
    server.server_close()
