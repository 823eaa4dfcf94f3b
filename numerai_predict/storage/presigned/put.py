"""Upload by a presigned PUT: the whole file as the body, the same bytes at each attempt."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.contract.errors import UploadFailed
from numerai_predict.contract.redaction import redact
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.storage.transfer.http import (
    describe_network_error,
    new_session,
    url_valid_until,
)
from numerai_predict.storage.transfer.response_headers import TRANSFER_ERRORS
from numerai_predict.storage.transfer.upload_response import refusal_of

STEP = "upload"
_REMEDY = "run the same command again: it requests a new presigned URL"


def put_to_presigned_url(path: Path, url: str, policy: TransferPolicy) -> None:
    """Upload the file to a presigned URL.

    Raises:
        UploadFailed: it is refused; `UploadInterrupted` after the last attempt.
        DeadlinePassed: the time for the whole run is over.
    """

    def attempt() -> None:
        target = redact(url)
        try:
            with (
                new_session() as session,
                open(path, "rb") as body,
                session.put(
                    url,
                    data=body,
                    timeout=policy.request_timeouts(STEP),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                refused = refusal_of(response, _REMEDY, valid_until=url_valid_until(url))
        except TRANSFER_ERRORS as error:
            policy.deadline.check(STEP)
            raise describe_network_error(error).uploading(
                target
            ) from None  # its text holds the URL
        if refused is not None:
            raise refused.uploading(target)

    if not path.is_file():
        raise UploadFailed(f"expected a file to upload at {path}, found none", "check the path")
    policy.repeat(attempt, STEP)
