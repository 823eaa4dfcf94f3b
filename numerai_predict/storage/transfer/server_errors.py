"""Errors of servers: whether they are temporary, and their message for fetch and upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from numerai_predict.contract.errors import (
    FetchFailed,
    FetchInterrupted,
    UploadFailed,
    UploadInterrupted,
)
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.redaction import redact_text

# Error codes of S3, whatever the HTTP status.
_TEMPORARY = frozenset(
    {"RequestTimeout", "IncompleteBody", "BadDigest", "OperationAborted", "InternalError"}
)
_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException"})
_STALE_CREDENTIALS = frozenset({"ExpiredToken", "TokenRefreshRequired"})
_REFUSALS = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "NoSuchBucket", "NoSuchKey", "NoSuchVersion"}
    | {"PermanentRedirect", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
)
_KNOWN_CODES = _TEMPORARY | _BUSY | _STALE_CREDENTIALS | _REFUSALS
_TEMPORARY_STATUS = frozenset({408, 425, 429})

_BUSY_SECONDS = 1.0
_MAX_CHARACTERS = 300  # of one part of a response
_SKEW = timedelta(minutes=5)  # more than a slow request explains


@dataclass(frozen=True)
class ServerError:
    """An error of a server or of the connection to it.

    `found` describes it. `temporary` errors are retried, not before `retry_after` seconds: the time
    that the server asks for.
    """

    found: str
    remedy: str
    temporary: bool = False
    retry_after: float = 0.0

    def fetching(self, source: str) -> FetchFailed:
        """The error of a fetch; `source` appears in the message."""
        message = f"expected {source}, found {self.found}"
        if self.temporary:
            return FetchInterrupted(message, self.remedy, self.retry_after)
        return FetchFailed(message, self.remedy)

    def uploading(self, target: str) -> UploadFailed:
        """The error of an upload; `target` appears in the message."""
        message = f"expected {target} to accept the predictions, found {self.found}"
        if self.temporary:
            return UploadInterrupted(message, self.remedy, self.retry_after)
        return UploadFailed(message, self.remedy)


@dataclass(frozen=True)
class ErrorResponse:
    """An error response: its status, its headers, and S3's code and message in its body.

    `remedy` is for errors that have none of their own. `valid_until` is when the signature of
    the request expires, if it is known.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    remedy: str
    code: str = ""
    message: str = ""
    request_id: str = ""
    valid_until: datetime | None = None

    def without_body(self) -> ErrorResponse:
        """The same without text of its body, except for a code that S3 documents.

        The body of a fetch may come from a server of a private network.
        """
        code = self.code if self.code in _KNOWN_CODES else ""
        header = self.headers.get("x-amz-request-id", "")
        return replace(self, code=code, message="", request_id=header)

    def server_error(self) -> ServerError:
        """The meaning of the response."""
        if self._is_temporary:
            return ServerError(
                str(self), "the server is busy: try again later", True, self._seconds_to_retry
            )
        if self.code in _STALE_CREDENTIALS:
            return ServerError(
                str(self),
                "the credentials that signed the request have expired: "
                "get new ones and sign a new request",
            )
        explanation, remedy = self._compare_clocks()
        return ServerError(f"{self}{explanation}", remedy)

    def __str__(self) -> str:
        request = f"request id {self.request_id}" if self.request_id else ""
        parts = (
            f"HTTP {self.status} {self.reason or ''}".strip(),
            self.code,
            self.message,
            request,
        )
        shown = (one_line(redact_text(part), _MAX_CHARACTERS) for part in parts if part)
        return ", ".join(shown)

    @property
    def _is_temporary(self) -> bool:
        if self.code in _TEMPORARY | _BUSY:
            return True
        return self.status in _TEMPORARY_STATUS or self.status >= 500

    @property
    def _seconds_to_retry(self) -> float:
        return max(self._retry_after(), _BUSY_SECONDS if self.code in _BUSY else 0.0)

    def _retry_after(self) -> float:
        """Seconds of the header `Retry-After`, which may also be a date."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isdecimal():
            return float(value[:9])
        until = _date(value)
        return max(0.0, (until - self._now).total_seconds()) if until else 0.0

    @property
    def _now(self) -> datetime:
        """The time of the header `Date`, else of this machine."""
        return _date(self.headers.get("Date", "")) or datetime.now(timezone.utc)

    def _compare_clocks(self) -> tuple[str, str]:
        """Explain a refusal by an expired signature or a wrong clock; and the remedy."""
        if self.status not in (400, 401, 403):
            return "", self.remedy
        if self.valid_until and self._now >= self.valid_until:
            ago = _span(self._now - self.valid_until)
            return f"; it expired {ago} ago by the server's clock", self.remedy
        skew = self._now - datetime.now(timezone.utc)
        if abs(skew) < _SKEW:
            return "", self.remedy
        side = "behind" if skew > timedelta() else "ahead of"
        return (
            f"; this machine's clock is {_span(abs(skew))} {side} the server's",
            "set this machine's clock: signatures are invalid if it is wrong",
        )


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
