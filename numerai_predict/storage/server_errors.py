"""What went wrong between us and a server, told once for fetching and for uploading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from numerai_predict.contract.errors import (
    FetchFailed,
    FetchInterrupted,
    UploadFailed,
    UploadInterrupted,
)
from numerai_predict.contract.redaction import redact_text

# S3's own codes, whatever the status beside them.
_PASSING = frozenset(
    {"RequestTimeout", "IncompleteBody", "BadDigest", "OperationAborted", "InternalError"}
)
_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException"})
_STALE_CREDENTIALS = frozenset({"ExpiredToken", "TokenRefreshRequired"})
_PASSING_STATUS = frozenset({408, 425, 429})

_BUSY_SECONDS = 1.0
_SKEW = timedelta(minutes=5)  # more than S3 could mistake for a slow request


@dataclass(frozen=True)
class ServerError:
    """What was found, what to do about it, and whether it may pass by itself.

    `pause` is how many seconds the server wants to be left alone.
    """

    found: str
    remedy: str
    passes: bool = False
    pause: float = 0.0

    def fetching(self, source: str) -> FetchFailed:
        """The error of a fetch; `source` is shown."""
        message = f"expected {source}, found {self.found}"
        if self.passes:
            return FetchInterrupted(message, self.remedy, self.pause)
        return FetchFailed(message, self.remedy)

    def uploading(self, target: str) -> UploadFailed:
        """The error of an upload; `target` is shown."""
        message = f"expected {target} to take the predictions, found {self.found}"
        if self.passes:
            return UploadInterrupted(message, self.remedy, self.pause)
        return UploadFailed(message, self.remedy)


@dataclass(frozen=True)
class ErrorResponse:
    """An answer that is no success: its status, its headers and S3's words in its body.

    `remedy` is what to do where the answer itself does not tell; `valid_until` when
    the signature of the request ends, where that is known.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    remedy: str
    code: str = ""
    message: str = ""
    request_id: str = ""
    valid_until: datetime | None = None

    def server_error(self) -> ServerError:
        """What it means."""
        if self._passes:
            return ServerError(str(self), "the server is busy: try again later", True, self._pause)
        if self.code in _STALE_CREDENTIALS:
            return ServerError(
                str(self),
                "the credentials that signed the request have expired: "
                "get new ones and sign a new request",
            )
        words, remedy = self._told_by_the_clocks()
        return ServerError(f"{self}{words}", remedy)

    def __str__(self) -> str:
        parts = [f"HTTP {self.status} {self.reason or ''}".strip(), self.code, self.message]
        parts += [f"request id {self.request_id}" if self.request_id else ""]
        return redact_text(", ".join(part for part in parts if part))

    @property
    def _passes(self) -> bool:
        if self.code in _PASSING | _BUSY:
            return True
        return self.status in _PASSING_STATUS or self.status >= 500

    @property
    def _pause(self) -> float:
        return max(self._retry_after(), _BUSY_SECONDS if self.code in _BUSY else 0.0)

    def _retry_after(self) -> float:
        """Seconds that the header `Retry-After` asks for, which may also be a date."""
        asked = self.headers.get("Retry-After", "").strip()
        if asked.isdecimal():
            return float(asked[:9])
        until = _date(asked)
        return max(0.0, (until - self._now).total_seconds()) if until else 0.0

    @property
    def _now(self) -> datetime:
        """The server's time where it says it, else ours."""
        return _date(self.headers.get("Date", "")) or datetime.now(timezone.utc)

    def _told_by_the_clocks(self) -> tuple[str, str]:
        """Whether the signature ended, or one of the two clocks is wrong."""
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
            "set this machine's clock: what it signs, or takes for valid, is not",
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
