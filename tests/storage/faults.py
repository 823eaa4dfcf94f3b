"""A web server with planned faults: one per request, from a list for each path.

It speaks over bare sockets, since what it does wrong no library would do. When a path's
faults are used up, it answers as S3 does.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

_XML = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message><RequestId>R1</RequestId>"


class Gone(Exception):
    """The client closed the connection, or the server is to stop."""


@dataclass
class Asked:
    """A request: its headers by lower-case names, and the body as far as it was read."""

    method: str
    path: str
    headers: dict[str, str]
    query: str = ""
    body: bytes = b""


@dataclass
class Faults:
    """The server: `objects` are what it has, `stored` what was posted, `plan` what goes wrong.

    `answers` are what it says to a POST to a path that is no upload.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    stored: dict[str, list[bytes]] = field(default_factory=dict)
    plan: dict[str, list[str]] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    certificate: Path | None = None

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        scheme = "https" if self.certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._context = None
        if self.certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(self.certificate)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop, and let go of every client that still waits."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, Gone, ValueError):
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._answer(Wire(connection, self._stopping))
        with contextlib.suppress(OSError):
            connection.close()

    def _answer(self, wire: Wire) -> None:
        asked = wire.read_head()
        self.asked.append(asked)
        if asked.path in self.answers:
            wire.read_body(asked)
            said = self.answers[asked.path]
            wire.send(head("200 OK", len(said)) + said)
            return
        plan = self.plan.get(asked.path, [])
        fault = plan.pop(0) if plan else "none"
        act = ({**GETS, **_CHOSEN} if asked.method == "GET" else POSTS)[fault]
        act(self, wire, asked)

    def object_of(self, asked: Asked) -> bytes:
        return self.objects[asked.path]


@dataclass
class Wire:
    """One connection."""

    connection: socket.socket
    stopping: threading.Event
    buffered: bytes = b""

    def read_head(self) -> Asked:
        while b"\r\n\r\n" not in self.buffered:
            self._more()
        head, _, self.buffered = self.buffered.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in map(_split, lines)}
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        return Asked(method, path, headers, query)

    def read_body(self, asked: Asked, share: float = 1.0) -> None:
        wanted = int(int(asked.headers.get("content-length", 0)) * share)
        while len(self.buffered) < wanted:
            self._more()
        asked.body = self.buffered[:wanted]

    def _more(self) -> None:
        some = self.connection.recv(65536)
        if not some:
            raise Gone
        self.buffered += some

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes, seconds: float = 1.0) -> None:
        """One byte a second, till the client is gone."""
        for byte in data:
            self.send(bytes([byte]))
            if self.stopping.wait(seconds):
                raise Gone

    def stall(self) -> None:
        """Nothing, till the client is gone; what it sends is not read."""
        while not self.stopping.wait(0.2):
            self.connection.settimeout(0.01)
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1, socket.MSG_PEEK):
                    raise Gone

    def reset(self) -> None:
        """End the connection as a crash or a firewall does."""
        raw = self.connection
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
        raise Gone


def _split(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def etag_of(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def head(status: str, length: int, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", "Connection: close"]
    lines += [f"Date: {formatdate(usegmt=True)}", "x-amz-request-id: R1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _whole(server: Faults, wire: Wire, asked: Asked) -> None:
    """As S3 responds to a GET: the whole object, or the requested rest of it."""
    data = server.object_of(asked)
    start = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
    if asked.headers.get("if-none-match") == etag_of(data):
        wire.send(head("304 Not Modified", 0, ETag=etag_of(data)))
    elif start and int(start[1]) >= len(data):
        wire.send(head("416 Range Not Satisfiable", 0))
    elif start and asked.headers.get("if-range") == etag_of(data):
        first = int(start[1])
        rest = data[first:]
        content_range = f"bytes {first}-{len(data) - 1}/{len(data)}"
        wire.send(
            head("206 Partial", len(rest), ETag=etag_of(data), Content_Range=content_range) + rest
        )
    else:
        wire.send(head("200 OK", len(data), ETag=etag_of(data)) + data)


def _slowly(server: Faults, wire: Wire, asked: Asked) -> None:
    """In pieces, for about half a second."""
    if "if-none-match" in asked.headers:
        _whole(server, wire, asked)
        return
    data = server.object_of(asked)
    wire.send(head("200 OK", len(data), ETag=etag_of(data)))
    piece = len(data) // 20 + 1
    for first in range(0, len(data), piece):
        wire.send(data[first : first + piece])
        wire.stopping.wait(0.025)


def _half(server: Faults, asked: Asked) -> bytes:
    data = server.object_of(asked)
    return head("200 OK", len(data), ETag=etag_of(data)) + data[: len(data) // 2]


def _cut(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.send(_half(server, asked))


def _cut_by_reset(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.send(_half(server, asked))
    wire.stopping.wait(0.05)  # a reset overtakes what was sent
    wire.reset()


def _reset_after(server: Faults, wire: Wire, asked: Asked) -> None:
    _whole(server, wire, asked)
    wire.stopping.wait(0.05)
    wire.reset()


def _drip_body(server: Faults, wire: Wire, asked: Asked) -> None:
    data = server.object_of(asked)
    wire.send(head("200 OK", len(data), ETag=etag_of(data)))
    wire.drip(data)


def _redirect(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.send(head("307 Temporary Redirect", 0, Location=f"{server.url}{asked.path}?again=1"))


def _endless_redirect(server: Faults, wire: Wire, asked: Asked) -> None:
    server.plan.setdefault(asked.path, []).insert(0, "endless redirect")
    _redirect(server, wire, asked)


def _too_long(server: Faults, wire: Wire, asked: Asked) -> None:
    data = server.object_of(asked)
    wire.send(head("200 OK", len(data) + 100, ETag=etag_of(data)) + data)


def _too_short(server: Faults, wire: Wire, asked: Asked) -> None:
    data = server.object_of(asked)
    wire.send(head("200 OK", len(data) - 100, ETag=etag_of(data)) + data)


def _corrupt(server: Faults, wire: Wire, asked: Asked) -> None:
    data = server.object_of(asked)
    middle = len(data) // 2
    other = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    wire.send(head("200 OK", len(data), ETag=etag_of(data)) + other)


def _gzip(server: Faults, wire: Wire, asked: Asked) -> None:
    data = gzip.compress(server.object_of(asked), 1)
    wire.send(head("200 OK", len(data), ETag=etag_of(data), Content_Encoding="gzip") + data)


def _cut_gzip(server: Faults, wire: Wire, asked: Asked) -> None:
    data = gzip.compress(server.object_of(asked), 1)
    start = head("200 OK", len(data), ETag=etag_of(data), Content_Encoding="gzip")
    wire.send(start + data[: len(data) // 2])


def _cut_other(server: Faults, wire: Wire, asked: Asked) -> None:
    """Half of an object that is then replaced by the real one."""
    data = bytes(len(server.object_of(asked)))
    wire.send(head("200 OK", len(data), ETag=etag_of(data)) + data[: len(data) // 2])


def _no_length(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + server.object_of(asked))


def _raw(headers: str, body: bytes, status: str = "200 OK") -> Callable[..., None]:
    def act(server: Faults, wire: Wire, asked: Asked) -> None:
        wire.send(f"HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n\r\n".encode() + body)

    return act


def _chunks(end: bytes) -> Callable[..., None]:
    def act(server: Faults, wire: Wire, asked: Asked) -> None:
        data = server.object_of(asked)
        wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        wire.send(f"{len(data):x}\r\n".encode() + data + b"\r\n" + end)

    return act


def _store(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.read_body(asked)
    server.stored.setdefault(asked.path, []).append(file_of(asked))


def file_of(asked: Asked) -> bytes:
    """The bytes of the last part of a multipart body."""
    boundary = asked.headers["content-type"].partition("boundary=")[2].encode()
    last = asked.body.split(b"--" + boundary)[-2]
    return last.partition(b"\r\n\r\n")[2][:-2]


def _stored(server: Faults, wire: Wire, asked: Asked) -> None:
    _store(server, wire, asked)
    wire.send(head("204 No Content", 0))


def _lost_answer(server: Faults, wire: Wire, asked: Asked) -> None:
    _store(server, wire, asked)
    wire.reset()


def _silent_after_storing(server: Faults, wire: Wire, asked: Asked) -> None:
    _store(server, wire, asked)
    wire.stall()


def _reset_mid_upload(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.read_body(asked, 0.3)
    wire.reset()


def _stall(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.stall()


def _drip_headers(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.drip(head("200 OK", 10))


def _reset(server: Faults, wire: Wire, asked: Asked) -> None:
    wire.reset()


def _says(status: str, code: str = "", words: str = "", **headers: str) -> Callable[..., None]:
    body = _XML.format(code, words).encode() + b"</Error>" if code else b""

    def act(server: Faults, wire: Wire, asked: Asked) -> None:
        wire.read_body(asked)
        wire.send(head(status, len(body), **headers) + body)

    return act


_BOTH = {
    "reset before": _reset,
    "stall": _stall,
    "drip headers": _drip_headers,
    "500": _says("500 Internal Server Error", "InternalError", "We encountered an error"),
    "503": _says("503 Service Unavailable"),
    "slow down": _says("503 Slow Down", "SlowDown", "Please reduce your request rate."),
    "429, retry after": _says("429 Too Many Requests", Retry_After="1"),
    "request timeout": _says("400 Bad Request", "RequestTimeout", "Not read within the period"),
    "403": _says("403 Forbidden", "AccessDenied", "Access Denied"),
    "expired token": _says("400 Bad Request", "ExpiredToken", "The token has expired."),
}
GETS = {
    **_BOTH,
    "none": _whole,
    "truncated": _cut,
    "reset within": _cut_by_reset,
    "reset after": _reset_after,
    "drip body": _drip_body,
    "redirect": _redirect,
    "endless redirect": _endless_redirect,
    "too long": _too_long,
    "too short": _too_short,
    "corrupt": _corrupt,
    "gzip": _gzip,
    "truncated gzip": _cut_gzip,
    "replaced meanwhile": _cut_other,
}
# Not drawn at random: without a checksum they cannot be distinguished from correct bytes.
_CHOSEN = {
    "no length": _no_length,
    "chunks": _chunks(b"0\r\n\r\n"),
    "truncated chunks": _chunks(b""),
    "packed chunks": _raw("Transfer-Encoding: gzip, chunked", b"1\r\nx\r\n0\r\n\r\n"),
    "negative length": _raw("Content-Length: -1", b"x"),
    "redirect to nothing": _raw("Location: http://[::1/?SECRETSECRET", b"", "302 Found"),
    "redirect to a file": _raw("Location: file:///etc/passwd", b"", "302 Found"),
    "slowly": _slowly,
}
POSTS = {
    **_BOTH,
    "none": _stored,
    "lost answer": _lost_answer,
    "silent after storing": _silent_after_storing,
    "reset within": _reset_mid_upload,
}
