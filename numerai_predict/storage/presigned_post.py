"""Upload by a presigned S3 POST."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from urllib3.filepost import encode_multipart_formdata

from numerai_predict.contract.errors import UploadFailed
from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.redaction import redact
from numerai_predict.storage.http import (
    TRANSFER_ERRORS,
    describe_network_error,
    error_response_of,
    new_session,
)
from numerai_predict.storage.presigned_policy import PostPolicy
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.server_errors import ServerError

STEP = "deliver"

_SHORT = 4
_MOST_REDIRECTS = 3
_NEW_POST = "ask for a new presigned POST: a policy expires and bounds the size"


def post_file(path: Path, post: PresignedPost, policy: TransferPolicy) -> str:
    """Send the file as the field `file` after the form's own; return where it went.

    Every try sends the same bytes: an answer that was lost does no harm.

    Raises:
        UploadFailed: the server refuses, or the policy does not allow the file.
        UploadInterrupted: no connection, or an answer that asks to come back, time and again.
        DeadlinePassed: the time for the whole run is over.
    """
    content = path.read_bytes()
    post_policy = PostPolicy.of(post.fields)
    parts: list[tuple[str, Any]] = [*post.fields, ("file", (path.name, content, "text/csv"))]
    body, content_type = encode_multipart_formdata(parts)

    def attempt() -> None:
        if reason := post_policy.refuses(len(content)):
            raise UploadFailed(
                f"expected {redact(post.url)} to take the predictions, found {reason}", _NEW_POST
            )
        _send(post, body, content_type, policy)

    policy.repeat(attempt, STEP)
    return redact(post.url)


def _send(post: PresignedPost, body: bytes, content_type: str, policy: TransferPolicy) -> None:
    url, target = post.url, redact(post.url)
    try:
        with new_session() as session:
            for _ in range(_MOST_REDIRECTS + 1):
                with session.post(
                    url,
                    data=body,
                    headers={"Content-Type": content_type},
                    timeout=policy.request_timeouts(STEP),
                    allow_redirects=False,  # most turn a POST into a GET that stores nothing
                    stream=True,
                ) as response:
                    if _is_stored(response, post):
                        return
                    further = _further(response, url)
                    if further is None:
                        raise _refusal(response, post).uploading(target)
                    url = further
    except TRANSFER_ERRORS as error:
        policy.deadline.check(STEP)
        raise describe_network_error(error).uploading(target) from None  # its text holds the URL
    raise UploadFailed(f"expected {target} to take the predictions, found redirects", _NEW_POST)


def _further(response: requests.Response, url: str) -> str | None:
    """Where the very same request is to be sent: S3 does so for a bucket of another region."""
    if response.status_code not in (307, 308):
        return None
    there = urljoin(url, response.headers.get("Location", ""))
    downgraded = url.startswith("https:") and not there.startswith("https:")
    return None if downgraded or there == url else there


def _is_stored(response: requests.Response, post: PresignedPost) -> bool:
    """Whether the answer says so; a form may ask for a redirect as the sign of success."""
    if response.status_code == 303:
        wanted = {name.lower(): value for name, value in post.fields}
        after = wanted.get("success_action_redirect") or wanted.get("redirect")
        return bool(after) and response.headers.get("Location", "").startswith(after or "")
    return 200 <= response.status_code < 300


def _refusal(response: requests.Response, post: PresignedPost) -> ServerError:
    valid_until = PostPolicy.of(post.fields).expires
    trouble = error_response_of(response, _NEW_POST, valid_until=valid_until).server_error()
    return replace(trouble, found=_without_values(trouble.found, post))


def _without_values(said: str, post: PresignedPost) -> str:
    """The server's words less what they repeat of the form, which is a credential."""
    for value in sorted({value for _, value in post.fields if value}, key=len, reverse=True):
        whole = rf"(?<!\w){re.escape(value)}(?!\w)"  # a key may be as short as a letter
        said = re.sub(re.escape(value) if len(value) >= _SHORT else whole, "***", said)
    return said
