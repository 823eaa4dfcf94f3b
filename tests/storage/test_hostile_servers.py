"""Servers that never end what they send: every request ends by itself, without a deadline."""

import contextlib
import gc
import socket
import threading
import time

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    DeadlinePassed,
    FetchFailed,
    FetchInterrupted,
    UploadFailed,
)
from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.tournament_errors import TournamentUnavailable
from numerai_predict.storage import graphql
from numerai_predict.storage.graphql import Api
from numerai_predict.storage.presigned.post import post_file
from numerai_predict.storage.presigned.put import put_to_presigned_url
from numerai_predict.storage.retry import RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import HttpUrl, S3Object
from numerai_predict.storage.transfer import response_headers

pytestmark = pytest.mark.server

POLICY = TransferPolicy(retry=RetryPolicy(attempts=1))
PAGE = b"<!DOCTYPE html><html><head><title>Please log in</title></head>SECRET-OF-THE-PAGE</html>"


def _drip_headers(send):
    send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        send(b"x")
        time.sleep(0.05)


def _drip_status(send):
    while True:
        send(b"H")
        time.sleep(0.05)


def _interim_responses(send):
    while True:
        send(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)


def _many_headers(send):
    send(b"HTTP/1.1 200 OK\r\n")
    while True:
        send(b"X-Header: value\r\n" * 100)


def _long_header(send):
    send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        send(b"x" * 10_000)


def _endless_redirect_body(send):
    send(b"HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n")
    while True:
        send(b"x" * 10_000)


def _endless_json(send):
    send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while True:
        send(b"1," * 10_000)


def _deep_json(send):
    body = b"[" * 1_000_000
    send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def serve():
    """Start a server that calls a function with `send` for each connection; returns its URL."""
    stopping = threading.Event()
    listeners = []

    def start(respond):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def handle(connection):
            def send(data):
                if stopping.is_set():
                    raise OSError("the test ended")
                connection.sendall(data)

            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                respond(send)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=handle, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stopping.set()
    for listener in listeners:
        listener.close()


@pytest.fixture
def short_headers(monkeypatch):
    monkeypatch.setattr(response_headers, "HEADER_SECONDS", 1.0)


ENDLESS = (_drip_headers, _drip_status, _interim_responses, _many_headers, _long_header)


@pytest.mark.usefixtures("short_headers")
@pytest.mark.parametrize("respond", [*ENDLESS, _endless_redirect_body])
def test_a_fetch_ends_and_is_not_tried_again(serve, tmp_path, respond):
    started = time.monotonic()
    with pytest.raises(FetchFailed) as failed:
        HttpUrl(serve(respond) + "/m.pkl").fetch(tmp_path, TransferPolicy())
    assert not isinstance(failed.value, FetchInterrupted)
    assert time.monotonic() - started < 20
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_dripped_headers_end_within_30_seconds_by_default(serve, tmp_path):
    started = time.monotonic()
    with pytest.raises(FetchFailed, match="too slow"):
        HttpUrl(serve(_drip_headers) + "/m.pkl").fetch(tmp_path, TransferPolicy())
    assert time.monotonic() - started < 30


@pytest.mark.usefixtures("short_headers")
@pytest.mark.parametrize("respond", ENDLESS)
def test_an_upload_ends(serve, tmp_path, respond):
    path = tmp_path / "p.csv"
    path.write_bytes(b"x" * 100)
    url = serve(respond)
    with pytest.raises(UploadFailed):
        post_file(path, PresignedPost(url, (("key", "k"),)), POLICY)
    with pytest.raises(UploadFailed):
        put_to_presigned_url(path, url, POLICY)


@pytest.mark.usefixtures("short_headers")
@pytest.mark.parametrize("respond", [*ENDLESS, _endless_json, _deep_json])
def test_a_query_ends_in_bounded_memory(serve, monkeypatch, respond):
    monkeypatch.setattr(graphql, "_MOST_BYTES", 4 * 1024 * 1024)
    with pytest.raises(TournamentUnavailable):
        Api(serve(respond), POLICY).query("query { rounds }")


def test_an_object_of_s3_whose_headers_drip_ends(serve, tmp_path, monkeypatch):
    from numerai_predict.storage.transfer import s3

    monkeypatch.setattr(s3, "HEADER_SECONDS", 1.0)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", serve(_drip_headers))
    with pytest.raises(FetchFailed, match="too slowly"):
        S3Object("bucket", "m.pkl").fetch(tmp_path, TransferPolicy())


DIGITS = b"9" * 5000
ODD_HEADERS = [
    b"Content-Length: " + DIGITS,
    b"Content-Length: abc",
    b"Content-Length: -3",
    b"Content-Length: 3\r\nContent-Range: bytes 0-2/" + DIGITS,
    b"Content-Length: 3\r\nRetry-After: " + DIGITS,
    b'Content-Length: 3\r\nETag: "' + DIGITS + b"-" + DIGITS + b'"',
    b"Content-Length: 3\r\nLast-Modified: garbage",
    b"Content-Length: 3\r\nLast-Modified: " + DIGITS,
    b"Content-Length: 3\r\nx-amz-mp-parts-count: " + DIGITS,
    b"Content-Length: 3\r\nx-amz-missing-meta: x",
    b"Content-Length: 3\r\nx-amz-object-lock-retain-until-date: x",
    b"Content-Length: 3\r\nx-amz-checksum-sha256: ???",
    b"Content-Length: 3\r\nDate: Fri, 31 Dec 9999 23:59:59 -2359",
    b"X: y",
]


@pytest.fixture
def s3_endpoint(monkeypatch):
    """Name a server as the endpoint of S3."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return lambda url: monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)


# boto3 leaves the connection of a response that it cannot read to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("status", [b"200", b"206"])
@pytest.mark.parametrize("header", ODD_HEADERS, ids=lambda header: header[:50].decode())
def test_no_header_of_a_server_is_a_bug_of_the_runner(serve, s3_endpoint, tmp_path, header, status):
    url = serve(lambda send: send(b"HTTP/1.1 " + status + b" X\r\n" + header + b"\r\n\r\nabc"))
    s3_endpoint(url)
    policy = TransferPolicy(Deadline.after(3), retry=RetryPolicy(attempts=1))
    for name, source in (("http", HttpUrl(url + "/m.pkl")), ("s3", S3Object("bucket", "m.pkl"))):
        (tmp_path / name).mkdir()
        with contextlib.suppress(FetchFailed, DeadlinePassed):
            assert source.fetch(tmp_path / name, policy).stat().st_size <= 3
    gc.collect()


@pytest.fixture(params=["post", "put"])
def upload(request, web, tmp_path):
    """Upload a file by either way to a reply; returns nothing."""
    path = tmp_path / "p.csv"
    path.write_bytes(b"x" * 100)

    def send(reply):
        web.replies["/bucket"] = reply
        url = f"{web.url}/bucket?SECRET"
        if request.param == "post":
            post_file(path, PresignedPost(url, (("key", "k"),)), POLICY)
        else:
            put_to_presigned_url(path, url, POLICY)

    return send


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b""), (200, b"\n"), (201, b""), (204, b""), (200, b"<PostResponse><Key>k</Key>")],
)
def test_an_upload_is_stored_by_these_responses(upload, web, status, body):
    upload(web.reply(body, status))


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, PAGE), (200, b"{}"), (202, b""), (206, b""), (302, PAGE), (303, b""), (200, b"<Error>")],
)
def test_an_upload_is_not_stored_by_others(upload, web, status, body):
    headers = {"Content-Type": "text/html; charset=utf-8", "Location": "/login"}
    with pytest.raises(UploadFailed) as failed:
        upload(web.reply(body, status, headers))
    assert str(status) in failed.value.message
    assert "SECRET" not in failed.value.message


def test_the_message_says_what_responded(upload, web):
    title = b"<title>" + b"A\x1b[31m\n" * 1000 + b"</title>"
    for body, words in ((PAGE, "type text/html, titled 'Please log in'"), (title, "text/html")):
        with pytest.raises(UploadFailed, match=words) as failed:
            upload(web.reply(body, 200, {"Content-Type": "text/html"}))
        assert "\x1b" not in failed.value.message
        assert len(failed.value.message) < 500
    assert "proxy" in failed.value.remedy


def test_a_response_that_is_cut_short_is_not_taken_for_an_empty_one(upload, web):
    with pytest.raises(UploadFailed):
        upload(web.reply(b"", 200, {"Content-Length": "500"}))
