"""Removes credentials and control characters from text that is shown or logged."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+")


def redact(source: str) -> str:
    """A path or URL without query, fragment, user name and password.

    A presigned URL's query is its credential.
    """
    if "://" not in source:
        return source
    try:
        parts = urlsplit(source)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return source.partition("?")[0].rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def redact_text(text: str) -> str:
    """A text in which every URL is redacted."""
    return _URL.sub(lambda match: redact(match[0]), text)


def printable(text: str) -> str:
    """The text without control characters other than tabs and line ends.

    Untrusted text must not control the terminal.
    """
    return _CONTROL.sub("", text)
