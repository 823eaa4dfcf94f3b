"""Expiry and size limits of presigned POSTs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any


@dataclass(frozen=True)
class PostPolicy:
    """The policy of a presigned POST, as far as it can be checked before the upload.

    `smallest` and `largest` are sizes of the file in bytes; `None` if not limited.
    """

    expires: datetime | None = None
    smallest: int | None = None
    largest: int | None = None

    @classmethod
    def of(cls, fields: Iterable[tuple[str, str]]) -> PostPolicy:
        """The policy among a form's fields; an empty one if it cannot be read."""
        encoded = next((value for name, value in fields if name.lower() == "policy"), "")
        try:
            policy = json.loads(base64.b64decode(encoded))
        except (binascii.Error, ValueError):
            return cls()
        if not isinstance(policy, dict):
            return cls()
        smallest, largest = _size_range(policy.get("conditions"))
        return cls(_time(policy.get("expiration")), smallest, largest)

    def refuses(self, size: int) -> str | None:
        """Why a file of `size` bytes would be refused now; `None` if it may be accepted."""
        now = datetime.now(timezone.utc)
        if self.expires is not None and now >= self.expires:
            return (
                f"that its policy expired at {self.expires:%Y-%m-%d %H:%M:%S} UTC "
                f"(this machine's clock says {now:%Y-%m-%d %H:%M:%S} UTC)"
            )
        if self.largest is not None and size > self.largest:
            return f"that its policy allows at most {self.largest:,} bytes: the file has {size:,}"
        if self.smallest is not None and size < self.smallest:
            return (
                f"that its policy requires {self.smallest:,} bytes or more: the file has {size:,}"
            )
        return None


def _time(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        # Python 3.10 reads neither the Z nor a fraction of other than 3 or 6 digits.
        time = datetime.fromisoformat(text.rstrip("Zz").partition(".")[0])
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _size_range(conditions: Any) -> tuple[int | None, int | None]:
    for condition in conditions if isinstance(conditions, list) else ():
        match condition:
            case [str(name), smallest, largest] if name.lower() == "content-length-range":
                return _integer(smallest), _integer(largest)
    return None, None


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
