"""Whether a response to an upload says that the bytes were stored.

A proxy or a login page in front of a server responds with 200 and a page to any request.
"""

from __future__ import annotations

import re
from datetime import datetime

import requests

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.storage.transfer.http import error_response_of
from numerai_predict.storage.transfer.response_headers import read_start
from numerai_predict.storage.transfer.server_errors import ServerError

_STORED = (201, 204)
_S3_DOCUMENT = re.compile(rb"\s*(<\?xml[^>]{0,200}\?>\s*)?<PostResponse[\s>]")
_S3_ERROR = re.compile(rb"\s*(<\?xml[^>]{0,200}\?>\s*)?<Error[\s>]")
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)
_MAX_CHARACTERS = 80


def refusal_of(
    response: requests.Response, remedy: str, valid_until: datetime | None = None
) -> ServerError | None:
    """The error that the response to an upload means; `None` if the bytes were stored.

    Stored are 201 and 204, and 200 with an empty body or with the document of S3. `remedy` is for
    errors that have none of their own; `valid_until` is when the signature expires.
    """
    if response.status_code in _STORED:
        return None
    if response.status_code != 200:
        return error_response_of(response, remedy, valid_until=valid_until).server_error()
    start = read_start(response)
    if not start.strip() or _S3_DOCUMENT.match(start):
        return None
    what = "an error document" if _S3_ERROR.match(start) else _describe_page(response, start)
    return ServerError(
        f"HTTP 200 with {what}: the server does not say that it stored them",
        "check the URL: a proxy or a login page may have responded in place of the server",
    )


def _describe_page(response: requests.Response, start: bytes) -> str:
    """The content type, and the title of a page: nothing else of the body."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    title = _TITLE.search(start)
    named = f", titled {title[1].decode(errors='replace').strip()!r}" if title else ""
    return one_line(f"a body of type {kind or 'unknown'}"[:_MAX_CHARACTERS]) + one_line(
        named, _MAX_CHARACTERS
    )
