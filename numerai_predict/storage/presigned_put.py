"""Upload by a presigned PUT: the whole file as the body, the same bytes at each attempt."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.contract.errors import UploadFailed
from numerai_predict.contract.redaction import redact
from numerai_predict.storage.http import (
    TRANSFER_ERRORS,
    describe_network_error,
    error_response_of,
    new_session,
)
from numerai_predict.storage.presigned_policy import url_valid_until
from numerai_predict.storage.retry import TransferPolicy

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
            with new_session() as session, open(path, "rb") as body:
                response = session.put(
                    url, data=body, timeout=policy.request_timeouts(STEP), allow_redirects=False
                )
        except TRANSFER_ERRORS as error:
            policy.deadline.check(STEP)
            raise describe_network_error(error).uploading(
                target
            ) from None  # its text holds the URL
        if response.status_code not in (200, 201, 204):
            refused = error_response_of(response, _REMEDY, valid_until=url_valid_until(url))
            raise refused.server_error().uploading(target)

    if not path.is_file():
        raise UploadFailed(f"expected a file to upload at {path}, found none", "check the path")
    policy.repeat(attempt, STEP)
