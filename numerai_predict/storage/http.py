"""HTTP: one request, its answer, and what it means where that is no success."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import requests.auth
import urllib3

from numerai_predict.storage.download import STEP, Body, Opener, RangeNotSupported
from numerai_predict.storage.presigned_policy import url_valid_until
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.server_errors import ErrorResponse, ServerError

# urllib3's own errors come through requests where it does not expect them.
TRANSFER_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,  # of a redirect to what is no URL
)

_CHUNK_BYTES = 1024 * 1024
_LONGEST_ERROR_BYTES = 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_NEW_URL = "check the URL; a presigned one ends to be valid after its time: make a new one"

_BAD_CERTIFICATE = ServerError(
    "a TLS certificate that is not to be trusted",
    "check the host name and the clock; a server of your own wants its certificate named in "
    "REQUESTS_CA_BUNDLE",
)
_NO_SUCH_URL = ServerError(
    "a URL that cannot be one, its own or a redirect's, or headers that contradict each other",
    "check the URL, and what serves it",
)


class NotModified(Exception):
    """The object is still the one whose ETag was sent along."""


def http_opener(
    address: Callable[[], str], source: str, policy: TransferPolicy, known_etag: str | None = None
) -> Opener:
    """Opens a URL, which is asked for anew at each try: a presigned one may have ended.

    With `known_etag` the opener raises `NotModified` where the object still has it.
    """

    @contextmanager
    def open_(start: int, etag: str | None) -> Iterator[Body]:
        url = address()
        headers = {"Accept-Encoding": "identity"}  # the bytes as they are stored
        if start and etag:
            headers |= {"Range": f"bytes={start}-", "If-Range": etag}
        elif known_etag:
            headers["If-None-Match"] = known_etag
        with new_session() as session:
            with _telling(source, policy):
                response = session.get(
                    url, stream=True, timeout=policy.request_timeouts(STEP), headers=headers
                )
            with response:
                if response.status_code == 304 and "If-None-Match" in headers:
                    raise NotModified
                if start and response.status_code == 416:
                    raise _no_such_part(source, start)
                with _telling(source, policy):
                    _require_success(response, url, source)
                yield _body(response, start, source, policy)

    return open_


@contextmanager
def _telling(source: str, policy: TransferPolicy) -> Iterator[None]:
    """Turn what breaks on the way from a server, and that alone, into the error of a fetch."""
    try:
        yield
    except TRANSFER_ERRORS as error:
        policy.deadline.check(STEP)
        raise describe_network_error(error).fetching(source) from None  # its text holds the URL


def new_session() -> requests.Session:
    """A session that takes proxies and certificates from the environment, but no password."""
    session = _Session()
    session.auth = _AuthOfUrl()
    return session


class _AuthOfUrl(requests.auth.AuthBase):
    """The password of the URL alone: S3 refuses a presigned request that brings a second."""

    def __call__(self, request: Any) -> Any:
        user, password = requests.utils.get_auth_from_url(request.url)
        return requests.auth.HTTPBasicAuth(user, password)(request) if user else request


class _Session(requests.Session):
    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Keep a password from another host, and ~/.netrc out of it."""
        strips: Any = self.should_strip_auth
        if strips(response.request.url, prepared_request.url):
            prepared_request.headers.pop("Authorization", None)


def error_response_of(response: requests.Response, remedy: str, **more: Any) -> ErrorResponse:
    """The answer's status, headers, and S3's error code, message and request id."""
    start = next(response.iter_content(_LONGEST_ERROR_BYTES), b"").decode(errors="replace")
    found = {}
    for tag in ("Code", "Message", "RequestId"):
        match = re.search(f"<{tag}>([^<]{{1,300}})</{tag}>", start)
        found[tag] = match[1] if match else ""
    return ErrorResponse(
        response.status_code,
        response.reason or "",
        response.headers,
        remedy,
        code=found["Code"],
        message=found["Message"],
        request_id=found["RequestId"] or response.headers.get("x-amz-request-id", ""),
        **more,
    )


def describe_network_error(error: BaseException) -> ServerError:
    """What broke, in words that hold no URL: their queries are secrets."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return _BAD_CERTIFICATE
    silence = "a server that fell silent"
    kinds = (
        (requests.exceptions.SSLError, "a TLS failure"),
        (urllib3.exceptions.SSLError, "a TLS failure"),
        (requests.exceptions.ProxyError, "no connection to the proxy"),
        (requests.exceptions.ConnectTimeout, "no answer to the attempt to connect"),
        (requests.exceptions.Timeout, silence),
        (urllib3.exceptions.TimeoutError, silence),
        (TimeoutError, silence),
        (requests.exceptions.ChunkedEncodingError, "a connection that broke within the body"),
        (urllib3.exceptions.ProtocolError, "a connection that broke within the body"),
        (http.client.HTTPException, "a connection that broke within the body"),
        (requests.exceptions.ConnectionError, "no connection: unknown host, refused or reset"),
        (ConnectionError, "a connection that broke"),
        (ssl.SSLError, "a TLS failure"),
    )
    for kind, words in kinds:
        if isinstance(error, kind):
            return ServerError(words, "check the host name and the network, then try again", True)
    if isinstance(error, (ValueError, urllib3.exceptions.LocationValueError)):
        return _NO_SUCH_URL
    return ServerError(type(error).__name__, "check the URL, and what serves it")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it was made of; libraries wrap each other's in three ways."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None)]
            waiting += cause.args
    return iter(seen)


def _require_success(response: requests.Response, url: str, source: str) -> None:
    if response.status_code not in (200, 203, 206):
        refusal = error_response_of(response, _NEW_URL, valid_until=url_valid_until(url))
        raise refusal.server_error().fetching(source)


def _body(response: requests.Response, start: int, source: str, policy: TransferPolicy) -> Body:
    headers = response.headers
    # Other codings than this one are nothing that http.client can find the end of.
    chunked = headers.get("Transfer-Encoding", "").strip().lower() == "chunked"
    begins, total = 0, None if chunked else _length(headers)
    if response.status_code == 206:
        matched = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        if not matched or int(matched[1]) != start or start == 0:
            raise _no_such_part(source, start)
        begins, total = start, int(matched[2])

    def read() -> bytes:
        with _telling(source, policy):
            return _read_some(response)

    return Body(read, headers, begins, total, ends_itself=chunked)


def _no_such_part(source: str, start: int) -> RangeNotSupported:
    return RangeNotSupported(
        f"expected the rest of {source} from byte {start}, found another part or none",
        "try again",
    )


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _read_some(response: requests.Response) -> bytes:
    """The bytes that one read gives, nothing at the end.

    A read of a fixed size would wait for all of it, however slowly the server drips.
    """
    raw: Any = response.raw
    reader = raw if hasattr(raw, "read1") else raw._fp  # urllib3 before 2 hides it
    some: bytes = reader.read1(_CHUNK_BYTES)
    return some
