"""Upload by a presigned S3 POST."""

from __future__ import annotations

from pathlib import Path

import requests

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import UploadFailed, UploadInterrupted
from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.redaction import redact
from numerai_predict.storage.http import (
    TRANSFER_ERRORS,
    is_transient,
    reason,
    server_error,
    timeouts,
)


def post_file(path: Path, post: PresignedPost, deadline: Deadline) -> str:
    """Send the file as the field `file` after the form's own; return where it went.

    Raises:
        UploadFailed: the server refuses.
        UploadInterrupted: no connection, or an answer that asks to come back.
        DeadlinePassed: the time for the whole run is over.
    """
    target = redact(post.url)
    saved = f"the predictions are safe in {path}"
    try:
        with requests.post(
            post.url,
            data=list(post.fields),
            files={"file": (path.name, path.read_bytes(), "text/csv")},
            timeout=timeouts(deadline, "deliver"),
            allow_redirects=False,  # a redirected POST becomes a GET that stores nothing
            stream=True,
        ) as response:
            if 200 <= response.status_code < 300:
                return target
            said = _without_values(server_error(response), post)
            found = f"expected {target} to take the predictions, found {said}"
            if is_transient(response.status_code):
                raise UploadInterrupted(f"{found}; {saved}", "try again later")
            raise UploadFailed(
                f"{found}; {saved}",
                "ask for a new presigned POST: a policy expires and bounds the size",
            )
    except TRANSFER_ERRORS as error:
        deadline.check("deliver")
        raise UploadInterrupted(
            f"expected {target} to take the predictions, found {reason(error)}; {saved}",
            "check the network, then try again",
        ) from None  # the cause's text holds the whole URL


def _without_values(said: str, post: PresignedPost) -> str:
    """The server's words less what they repeat of the form, which is a credential."""
    for _, value in post.fields:
        if value:
            said = said.replace(value, "***")
    return said
