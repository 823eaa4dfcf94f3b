"""Removes credentials from text that is shown or logged.

Each pattern needs time in proportion to the text: a model may choose the text.
"""

from __future__ import annotations

import re

_AFTER_SCHEME = re.compile(r"://[^\s'\"<>]+")
_QUERY_OR_FRAGMENT = re.compile(r"[?#]")


def redact(source: str) -> str:
    """A path or URL without query, fragment, user name and password.

    A presigned URL's query is its credential.
    """
    scheme, separator, rest = source.partition("://")
    if not separator:
        return source
    return scheme.lower() + separator + _without_credentials(rest)


def redact_text(text: str) -> str:
    """A text in which every URL is redacted."""
    return _AFTER_SCHEME.sub(lambda match: f"://{_without_credentials(match[0][3:])}", text)


def _without_credentials(rest: str) -> str:
    """Host and path of a URL, given without its scheme."""
    address = _QUERY_OR_FRAGMENT.split(rest, maxsplit=1)[0]
    authority, slash, path = address.partition("/")
    return authority.rpartition("@")[2] + slash + path
