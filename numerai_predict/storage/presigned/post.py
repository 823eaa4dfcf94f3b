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
from numerai_predict.storage.presigned.policy import PostPolicy
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.transfer.http import (
    describe_network_error,
    new_session,
)
from numerai_predict.storage.transfer.response_headers import TRANSFER_ERRORS
from numerai_predict.storage.transfer.server_errors import ServerError
from numerai_predict.storage.transfer.upload_response import refusal_of

STEP = "deliver"

_SHORT_VALUE = 4
_MOST_REDIRECTS = 3
_NEW_POST = "create a new presigned POST: a policy expires and limits the size"


def post_file(path: Path, post: PresignedPost, policy: TransferPolicy) -> str:
    """Send the file as the field `file` after the form's own; returns the URL without query.

    Every attempt sends the same bytes under the same key: it may be repeated.

    Raises:
        UploadFailed: the server refuses, or the policy does not allow the file.
        UploadInterrupted: after all attempts no connection, or a busy server.
        DeadlinePassed: the time for the whole run is over.
    """
    content = path.read_bytes()
    post_policy = PostPolicy.of(post.fields)
    parts: list[tuple[str, Any]] = [*post.fields, ("file", (path.name, content, "text/csv"))]
    body, content_type = encode_multipart_formdata(parts)

    def attempt() -> None:
        if reason := post_policy.refuses(len(content)):
            raise UploadFailed(
                f"expected {redact(post.url)} to accept the predictions, found {reason}", _NEW_POST
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
                    allow_redirects=False,  # requests would turn the POST into a GET
                    stream=True,
                ) as response:
                    next_url = _redirect_target(response, url)
                    if next_url is None:
                        refused = _refusal(response, post)
                        if refused is not None:
                            raise refused.uploading(target)
                        return
                    url = next_url
    except TRANSFER_ERRORS as error:
        policy.deadline.check(STEP)
        raise describe_network_error(error).uploading(target) from None  # its text holds the URL
    raise UploadFailed(
        f"expected {target} to accept the predictions, found too many redirects", _NEW_POST
    )


def _redirect_target(response: requests.Response, url: str) -> str | None:
    """Where to send the same request again: S3 redirects to a bucket's region."""
    if response.status_code not in (307, 308):
        return None
    target = urljoin(url, response.headers.get("Location", ""))
    downgraded = url.startswith("https:") and not target.startswith("https:")
    return None if downgraded or target == url else target


def _refusal(response: requests.Response, post: PresignedPost) -> ServerError | None:
    """Why the file was not stored; `None` if it was.

    A form may request a redirect as the response to success.
    """
    if response.status_code == 303:
        fields = {name.lower(): value for name, value in post.fields}
        redirect = fields.get("success_action_redirect") or fields.get("redirect")
        if redirect and response.headers.get("Location", "").startswith(redirect):
            return None
    error = refusal_of(response, _NEW_POST, valid_until=PostPolicy.of(post.fields).expires)
    return error and replace(error, found=_without_values(error.found, post))


def _without_values(message: str, post: PresignedPost) -> str:
    """The server's message without values of the form, which are credentials."""
    for value in sorted({value for _, value in post.fields if value}, key=len, reverse=True):
        whole = rf"(?<!\w){re.escape(value)}(?!\w)"  # a key may be as short as a letter
        message = re.sub(re.escape(value) if len(value) >= _SHORT_VALUE else whole, "***", message)
    return message
