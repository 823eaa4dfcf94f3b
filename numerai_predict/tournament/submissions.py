"""One submission a round and model, whatever breaks on the way and however often it is tried."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from numerai_predict.contract.tournament_errors import (
    RoundClosed,
    SubmissionExists,
    SubmissionRefused,
)
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.graphql import RequestRefused
from numerai_predict.storage.presigned_put import put_to_presigned_url
from numerai_predict.tournament import queries
from numerai_predict.tournament.client import Tournament, download_bytes
from numerai_predict.tournament.entities import AccountModel, RoundInfo, Submission
from numerai_predict.tournament.round_ledger import RoundLedger


@dataclass(frozen=True)
class Submitted:
    """A submission that the tournament has; `already` where nothing had to be done."""

    submission: Submission
    already: bool


def require_open(round_: RoundInfo, late: bool) -> None:
    """Go on only if a submission would be in time, or may be late.

    Raises:
        RoundClosed: it would not.
    """
    if late or round_.is_open():
        return
    raise RoundClosed(
        f"expected an open round, found that {round_.number} closed at {_utc(round_.closes)}",
        "wait for the next opening (Tuesday to Saturday, 12:00 UTC), or submit with --late: a late "
        "submission is scored but can't be staked",
    )


def of_round(tournament: Tournament, model: AccountModel, number: int) -> Submission | None:
    """The submission of the round that counts, if there is one."""
    found = [each for each in tournament.submissions(model) if each.round == number]
    selected = [each for each in found if each.selected]
    return next(iter(selected or found), None)


def submit(
    tournament: Tournament,
    model: AccountModel,
    round_: RoundInfo,
    predictions: Path,
    ledger: RoundLedger,
    replace: bool = False,
) -> Submitted:
    """Make the file the round's submission of the model; the ledger's lock is held.

    Nothing is done where it is that already.

    Raises:
        SubmissionExists: another one is there, and `replace` is not set.
        SubmissionRefused: the tournament does not take it.
        NotAuthorised, TournamentUnavailable, UploadFailed, DeadlinePassed: see there.
    """
    sha256 = sha256_of(predictions)
    existing = of_round(tournament, model, round_.number)
    if existing is not None:
        if _sha256_of(tournament, model, existing, ledger) == sha256:
            _finish(ledger, existing, sha256)
            return Submitted(existing, already=True)
        if not replace:
            raise SubmissionExists(
                f"expected no submission of {model.name} in round {round_.number}, found another "
                f"one, {existing.filename} of {_utc(existing.inserted)}",
                "leave it, or replace it with --replace",
            )
    made = _upload_and_create(tournament, model, predictions, sha256, ledger)
    if made.round != round_.number:
        log_step(
            "warning", f"round {round_.number} ended meanwhile: it counts for round {made.round}"
        )
    _finish(ledger, made, sha256)
    return Submitted(made, already=False)


def _sha256_of(
    tournament: Tournament, model: AccountModel, submission: Submission, ledger: RoundLedger
) -> str | None:
    """The hash of what was submitted: as we remember it, or of its bytes."""
    entry = ledger.read()
    if submission.filename == entry.uploaded_as or submission.id == entry.submission:
        return entry.uploaded_sha256
    url = tournament.submission_url(submission, model)
    with tempfile.TemporaryDirectory(prefix="numerai-submission-") as folder:
        target = Path(folder, "submission.csv")
        name = f"the submission {submission.filename}"
        return sha256_of(download_bytes(url, target, name, tournament.api.terms))


def _upload_and_create(
    tournament: Tournament, model: AccountModel, predictions: Path, sha256: str, ledger: RoundLedger
) -> Submission:
    """Make a submission of the bytes: of those that a broken run uploaded, if it got so far."""
    entry = ledger.read()
    if entry.uploaded_as and entry.uploaded_sha256 == sha256 and entry.submission is None:
        log_step("submit", f"going on with {entry.uploaded_as}, which was uploaded before")
        try:
            return _create(tournament, model, entry.uploaded_as)
        except SubmissionRefused as refused:  # what was uploaded may be gone by now
            log_step("submit", f"uploading anew: {refused.message}")
    filename, url = tournament.ticket(predictions, model)
    put_to_presigned_url(predictions, url, tournament.api.terms)
    # Kept before the submission is made of it: if we are killed there, the same name is used.
    ledger.update(uploaded_as=filename, uploaded_sha256=sha256, submission=None)
    log_step("submit", f"uploaded {predictions.name}")
    return _create(tournament, model, filename)


def _create(tournament: Tournament, model: AccountModel, filename: str) -> Submission:
    def find() -> Submission | None:
        found = tournament.submissions(model)
        return next((each for each in found if each.filename == filename), None)

    try:
        made = tournament.create(queries.CREATE, model, find, filename=filename, triggerId=None)
    except RequestRefused as refused:
        raise SubmissionRefused(
            f"expected the tournament to take {filename}, found that it says: {refused.words}",
            "nothing was submitted: correct what it names, or, if that is no fault of the "
            "predictions, run the same command again",
        ) from refused
    if made is None:
        raise SubmissionRefused(
            f"expected {filename} among the submissions, found that it is not listed",
            "look with `numerai-predict status`, then run the same command again",
        )
    return made


def _finish(ledger: RoundLedger, submission: Submission, sha256: str) -> None:
    ledger.update(
        uploaded_as=submission.filename,
        uploaded_sha256=sha256,
        submission=submission.id,
        finished=_utc(datetime.now(timezone.utc)),
    )


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
