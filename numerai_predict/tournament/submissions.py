"""One submission per round and model, however often it is attempted and wherever it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path

from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.contract.tournament_errors import (
    RoundClosed,
    SubmissionExists,
    SubmissionRefused,
)
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.graphql import RequestRefused
from numerai_predict.storage.presigned.put import put_to_presigned_url
from numerai_predict.tournament import queries
from numerai_predict.tournament.client import Tournament, download_presigned
from numerai_predict.tournament.entities import AccountModel, RoundInfo, Submission
from numerai_predict.tournament.round_ledger import RoundLedger


class SubmitOutcome(Enum):
    """How `submit` made the file the round's submission."""

    CREATED = "created"
    UNCHANGED = "unchanged"  # the round had the same submission already


@dataclass(frozen=True)
class Submitted:
    """A submission that the tournament has, and how it got there."""

    submission: Submission
    result: SubmitOutcome


def describe_submission(submitted: Submitted, model: AccountModel, round_: RoundInfo) -> str:
    """The message for the user about a submission."""
    submission = submitted.submission
    if submitted.result is SubmitOutcome.UNCHANGED:
        return (
            f"round {round_.number} has the same submission of {model.name} already: "
            f"{submission.id}; nothing was done"
        )
    return f"submitted to round {submission.round} for {model.name}: {submission.id}"


def require_open(round_: RoundInfo, late: bool, wait: str) -> None:
    """Require that a submission would be in time, or that it may be `late`.

    `wait` says how to get an open round; see `Tournament.wait_for_opening`.

    Raises:
        RoundClosed: the round is closed.
    """
    if late or round_.is_open():
        return
    raise RoundClosed(
        f"expected an open round, found that {round_.number} closed at {_utc(round_.closes)}",
        f"{wait}; or submit with --allow-late: a late submission is scored but can't be staked",
    )


def submission_of_round(
    tournament: Tournament, model: AccountModel, number: int
) -> Submission | None:
    """The submission of the round that counts, if there is one."""
    submissions = [each for each in tournament.submissions(model) if each.round == number]
    selected = [each for each in submissions if each.selected]
    return next(iter(selected or submissions), None)


def submit(
    tournament: Tournament,
    model: AccountModel,
    round_: RoundInfo,
    predictions: Path,
    ledger: RoundLedger,
    replace: bool = False,
) -> Submitted:
    """Make the file the round's submission of the model; the caller holds the ledger's lock.

    If it is that already, nothing is sent.

    Raises:
        SubmissionExists: the round has another submission, and `replace` is not set.
        SubmissionRefused: the tournament does not accept the file.
        NotAuthorised, TournamentUnavailable, UploadFailed, DeadlinePassed: see there.
    """
    sha256 = sha256_of(predictions)
    existing = submission_of_round(tournament, model, round_.number)
    if existing is not None:
        if _submitted_sha256(tournament, model, existing, ledger) == sha256:
            _record_submission(ledger, existing, sha256)
            return Submitted(existing, SubmitOutcome.UNCHANGED)
        if not replace:
            raise SubmissionExists(
                f"expected no submission of {model.name} in round {round_.number}, found another "
                f"one, {existing.filename} of {_utc(existing.inserted)}",
                "leave it, or replace it with --replace",
            )
    created = _upload_and_create(tournament, model, predictions, sha256, ledger)
    if created.round != round_.number:
        log_step(
            "warning",
            f"round {round_.number} ended meanwhile: it counts for round {created.round}",
        )
    _record_submission(ledger, created, sha256)
    return Submitted(created, SubmitOutcome.CREATED)


def _submitted_sha256(
    tournament: Tournament, model: AccountModel, submission: Submission, ledger: RoundLedger
) -> str | None:
    """The hash of the submitted bytes: from the ledger, or of a download."""
    entry = ledger.read()
    if entry.has_sent(submission):
        return entry.uploaded_sha256
    url = tournament.submission_url(submission, model)
    with temporary_directory("numerai-submission-") as folder:
        target = Path(folder, "submission.csv")
        source = f"the submission {submission.filename}"
        return sha256_of(download_presigned(url, target, source, tournament.api.policy))


def _upload_and_create(
    tournament: Tournament, model: AccountModel, predictions: Path, sha256: str, ledger: RoundLedger
) -> Submission:
    """Create a submission of the bytes; an upload of an interrupted run is used again."""
    entry = ledger.read()
    if entry.uploaded_as and entry.uploaded_sha256 == sha256 and entry.submission is None:
        log_step("submit", f"resuming with {entry.uploaded_as}, which is uploaded already")
        try:
            return _create(tournament, model, entry.uploaded_as)
        except SubmissionRefused as refused:  # the uploaded file may have expired
            log_step("submit", f"uploading again: {refused.message}")
    ticket = tournament.request_upload(predictions, model)
    put_to_presigned_url(predictions, ticket.url, tournament.api.policy)
    # Recorded before the submission is created: a restart after a kill uses the same name.
    ledger.update(uploaded_as=ticket.filename, uploaded_sha256=sha256, submission=None)
    log_step("submit", f"uploaded {predictions.name}")
    return _create(tournament, model, ticket.filename)


def _create(tournament: Tournament, model: AccountModel, filename: str) -> Submission:
    def find() -> Submission | None:
        submissions = tournament.submissions(model)
        return next((each for each in submissions if each.filename == filename), None)

    try:
        created = tournament.create(queries.CREATE, model, find, filename=filename, triggerId=None)
    except RequestRefused as refused:
        raise SubmissionRefused(
            f"expected the tournament to accept {filename}, found that it responds: "
            f"{refused.message}",
            "nothing was submitted: correct what the message names; if the predictions are right, "
            "run the same command again",
        ) from refused
    if created is None:
        raise SubmissionRefused(
            f"expected {filename} among the submissions, found that it is not listed",
            "check with `numerai-predict status`, then run the same command again",
        )
    return created


def _record_submission(ledger: RoundLedger, submission: Submission, sha256: str) -> None:
    ledger.update(
        uploaded_as=submission.filename,
        uploaded_sha256=sha256,
        submission=submission.id,
        finished=_utc(datetime.now(timezone.utc)),
    )


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
