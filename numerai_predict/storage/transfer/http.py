"""HTTP requests: openers for downloads, sessions, and the meaning of error responses."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
import requests.auth
import urllib3

from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.transfer.download import STEP, Body, Opener, RangeNotSupported
from numerai_predict.storage.transfer.redirects import (
    GuardedAdapter,
    RedirectGuard,
    UnsafeRedirect,
)
from numerai_predict.storage.transfer.response_headers import (
    CONTENT_RANGE,
    TRANSFER_ERRORS,
    UnusableHeaders,
    declared_length,
    read_available,
    read_start,
)
from numerai_predict.storage.transfer.server_errors import ErrorResponse, ServerError

_MOST_REDIRECTS = 10
_NEW_URL = "check the URL; a presigned URL expires: create a new one"

_BAD_CERTIFICATE = ServerError(
    "an untrusted TLS certificate",
    "check the host name and the clock; name the certificate of a server of your own in "
    "REQUESTS_CA_BUNDLE",
)
_BAD_HEADERS = ServerError(
    "a response whose headers are too slow, too many or too long",
    "check the URL: no ordinary web server responds like this",
)
_INVALID_URL = ServerError(
    "an invalid URL, its own or a redirect's, or contradictory headers",
    "check the URL and its server",
)


class NotModified(Exception):
    """The object still has the ETag that was sent (HTTP 304)."""


def http_opener(
    address: Callable[[], str], source: str, policy: TransferPolicy, known_etag: str | None = None
) -> Opener:
    """Open a URL; `address` returns it for each attempt, as a presigned one may have expired.

    With `known_etag` the opener raises `NotModified` if the object still has it.
    """

    @contextmanager
    def open_(start: int, etag: str | None) -> Iterator[Body]:
        url = address()
        headers = {"Accept-Encoding": "identity"}  # the stored bytes, without compression
        if start and etag:
            headers |= {"Range": f"bytes={start}-", "If-Range": etag}
        elif known_etag:
            headers["If-None-Match"] = known_etag
        with new_session() as session:
            with _fetch_errors(source, policy):
                response = session.get(
                    url, stream=True, timeout=policy.request_timeouts(STEP), headers=headers
                )
            with response:
                if response.status_code == 304 and "If-None-Match" in headers:
                    raise NotModified
                if start and response.status_code == 416:
                    raise _range_error(source, start)
                with _fetch_errors(source, policy):
                    _require_success(response, url, source)
                yield _body(response, start, source, policy)

    return open_


@contextmanager
def _fetch_errors(source: str, policy: TransferPolicy) -> Iterator[None]:
    """Translate errors of the network into those of a fetch."""
    try:
        yield
    except TRANSFER_ERRORS as error:
        policy.deadline.check(STEP)
        raise describe_network_error(error).fetching(source) from None  # its text holds the URL


def new_session() -> requests.Session:
    """A session for one request and its redirects.

    Proxies and certificates come from the environment, but no passwords. Redirects are checked;
    see `redirects`.
    """
    guard = RedirectGuard()
    session = _Session(guard)
    session.max_redirects = _MOST_REDIRECTS
    session.auth = _UrlAuth()
    guarded = GuardedAdapter(guard)
    session.mount("https://", guarded)
    session.mount("http://", guarded)
    return session


class _UrlAuth(requests.auth.AuthBase):
    """Only the password of the URL: S3 refuses a presigned request with a second one."""

    def __call__(self, request: Any) -> Any:
        user, password = requests.utils.get_auth_from_url(request.url)
        return requests.auth.HTTPBasicAuth(user, password)(request) if user else request


class _Session(requests.Session):
    def __init__(self, guard: RedirectGuard) -> None:
        super().__init__()
        self._guard = guard

    def get_redirect_target(self, response: Any) -> str | None:
        """Where the response redirects to, if it does and if it may."""
        find_target: Any = super().get_redirect_target
        target: str | None = find_target(response)
        if target is not None:
            try:
                self._guard.check_redirect(response.url, urljoin(response.url, target))
            except UnsafeRedirect:
                response.close()
                raise
            response.close()
            response._content = b""  # requests would read all of it, which may be endless
        return target

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Remove the password on a redirect to another host, and do not read ~/.netrc."""
        should_strip: Any = self.should_strip_auth
        if should_strip(response.request.url, prepared_request.url):
            prepared_request.headers.pop("Authorization", None)


def error_response_of(response: requests.Response, remedy: str, **fields: Any) -> ErrorResponse:
    """The response's status, headers, and S3's error code, message and request id."""
    try:
        start = read_start(response).decode(errors="replace")
    except TRANSFER_ERRORS:
        start = ""
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
        **fields,
    )


def describe_network_error(error: BaseException) -> ServerError:
    """Describe the error without its URL, whose query may be a secret."""
    if isinstance(error, UnsafeRedirect):
        return ServerError(str(error), "name the URL that it leads to, if you trust that server")
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return _BAD_CERTIFICATE
    if any(isinstance(cause, UnusableHeaders) for cause in causes):
        return _BAD_HEADERS
    silence = "a server that stopped responding"
    truncated = "a connection closed before the body was complete"
    kinds = (
        (requests.exceptions.SSLError, "a TLS failure"),
        (urllib3.exceptions.SSLError, "a TLS failure"),
        (requests.exceptions.ProxyError, "no connection to the proxy"),
        (requests.exceptions.ConnectTimeout, "no response to the attempt to connect"),
        (requests.exceptions.Timeout, silence),
        (urllib3.exceptions.TimeoutError, silence),
        (TimeoutError, silence),
        (requests.exceptions.ChunkedEncodingError, truncated),
        (urllib3.exceptions.ProtocolError, truncated),
        (http.client.HTTPException, truncated),
        (requests.exceptions.ConnectionError, "no connection: unknown host, refused or reset"),
        (ConnectionError, "a connection that was closed"),
        (ssl.SSLError, "a TLS failure"),
    )
    for kind, description in kinds:
        if isinstance(error, kind):
            remedy = "check the host name and the network, then try again"
            return ServerError(description, remedy, temporary=True)
    if isinstance(error, (ValueError, urllib3.exceptions.LocationValueError)):
        return _INVALID_URL
    return ServerError(type(error).__name__, "check the URL and its server")


def is_refused_connection(error: BaseException) -> bool:
    """Whether nothing listens at the address: the host itself refused the connection."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))


def url_valid_until(url: str) -> datetime | None:
    """When the signature of a presigned URL expires; `None` if the URL does not have it."""
    query = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    try:
        if "x-amz-date" in query:
            signed = datetime.strptime(query["x-amz-date"], "%Y%m%dT%H%M%S%z")
            return signed + timedelta(seconds=int(query["x-amz-expires"]))
        return datetime.fromtimestamp(int(query["expires"]), timezone.utc)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all its causes; libraries wrap errors in three different ways."""
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
        error = error_response_of(response, _NEW_URL, valid_until=url_valid_until(url))
        raise error.without_body().server_error().fetching(source)


def _body(response: requests.Response, start: int, source: str, policy: TransferPolicy) -> Body:
    headers = response.headers
    # http.client detects the end of no other transfer coding.
    chunked = headers.get("Transfer-Encoding", "").strip().lower() == "chunked"
    begins, total = 0, None if chunked else declared_length(headers)
    if response.status_code == 206:
        matched = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        if not matched or int(matched[1]) != start or start == 0:
            raise _range_error(source, start)
        begins, total = start, int(matched[2])

    def read() -> bytes:
        with _fetch_errors(source, policy):
            return read_available(response)

    return Body(read, headers, begins, total, ends_itself=chunked)


def _range_error(source: str, start: int) -> RangeNotSupported:
    return RangeNotSupported(
        f"expected the rest of {source} from byte {start}, found another range or none",
        "try again",
    )
