"""Hosted models: inspect a pickle, upload it, and wait until the tournament validated it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.dataset_name import KNOWN_DATA_VERSION
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import InvalidPickle, ModelUnavailable
from numerai_predict.contract.server_name import server_of
from numerai_predict.contract.tournament_errors import ModelRefused
from numerai_predict.inspection.compatibility import CompatibilityLevel, choose_image
from numerai_predict.inspection.inspect import Inspection, inspect_pickle
from numerai_predict.runner.bundle_check import check_pickle, check_python
from numerai_predict.runner.bundle_data import ModelInput, check_data
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.directories import data_directory
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.graphql import Api, RequestRefused
from numerai_predict.storage.presigned.put import put_to_presigned_url
from numerai_predict.tournament import queries
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import AccountModel, UploadTicket
from numerai_predict.tournament.hosted_check import HostedData, check_as_hosted
from numerai_predict.tournament.hosted_offers import HostedOffers, hosted_offers
from numerai_predict.tournament.round_runner import snapshot_live

_DEFAULT_PYTHON = "3.12"  # where neither the pickle nor the tournament names one
_POLL_SECONDS = 2.0
_LIVE = ("live.parquet", "live_benchmark_models.parquet")


class ValidationState(Enum):
    """Where the tournament's validation of a pickle stands."""

    PENDING = frozenset({"pending", "queued", "starting", "running", "validating"})
    SUCCEEDED = frozenset({"success", "succeeded", "completed", "validated", "valid"})
    FAILED = frozenset({"failed"})  # and every status that the API may add

    @classmethod
    def from_status(cls, status: str) -> ValidationState:
        """The state behind a `validationStatus` of the API, in lower case."""
        return next((state for state in cls if status in state.value), cls.FAILED)


@dataclass(frozen=True)
class UploadChoice:
    """What to host a pickle with; `None` for what its inspection finds.

    `force` uploads it in spite of what the inspection finds, and without the hosted check;
    `allow_version_mismatch` in spite of data of another version or server than those that a
    bundle's model was trained on. `data` is the directory of the snapshots, by default that of
    the environment.
    """

    python: str | None = None
    version: str | None = None
    force: bool = False
    allow_version_mismatch: bool = False
    data: Path | None = None


@dataclass(frozen=True)
class _Suitability:
    """The inspection of a pickle, and why it should not be hosted, `None` if it may."""

    inspection: Inspection | None
    objection: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Hosting:
    python: str
    version: str
    inspection: Inspection | None


def upload(
    tournament: Tournament,
    model: AccountModel,
    path: Path,
    choice: UploadChoice,
    deadline: Deadline,
    show: Callable[[str], None],
) -> str:
    """Make the pickle the model's hosted one; returns its id once it is validated.

    `show` gets the lines of the validation log as they arrive.

    Raises:
        ModelUnavailable: there is no such file, or it is not the pickle of its bundle's manifest.
        DatasetUnavailable: the bundle's model was trained on data of another version or server.
        ModelRefused: the inspection, the hosted check or the tournament rejects it.
        NotAuthorised, TournamentUnavailable, UploadFailed, DeadlinePassed: see there.
    """
    inspection = _require_suitable(path, choice)
    offers = hosted_offers(tournament)
    hosting = _choose_hosting(path, inspection, choice, offers, server_of(tournament.api.url))
    image_id = offers.image_id(hosting.python)
    version_id = offers.versions.id_of(hosting.version)
    log_step("upload", f"{path.name} for Python {hosting.python} and the data {hosting.version}")
    _check_before_upload(path, choice, hosting, tournament, deadline)
    ticket = tournament.request_pickle_upload(path, model)
    put_to_presigned_url(path, ticket.url, tournament.api.policy)

    def find() -> dict[str, Any] | None:
        pickle = _hosted_pickle(tournament, model)
        return pickle if pickle and pickle["filename"] == ticket.filename else None

    created = _create(tournament, model, path, ticket, image_id, version_id, find)
    log_step("upload", f"uploaded as {ticket.filename}; waiting for its validation")
    return _wait_for_validation(find, created, path, deadline, show)


def _check_before_upload(
    path: Path,
    choice: UploadChoice,
    hosting: _Hosting,
    tournament: Tournament,
    deadline: Deadline,
) -> None:
    if choice.force or hosting.inspection is None:
        log_step("warning", "the pickle was not run before the upload (--ignore-inspection)")
        return
    api = Api(tournament.api.url, tournament.api.policy)
    data = HostedData(*snapshot_live(choice.data or data_directory(), hosting.version, api, _LIVE))
    check_as_hosted(path, hosting.inspection, hosting.python, data, deadline)


def _create(
    tournament: Tournament,
    model: AccountModel,
    path: Path,
    ticket: UploadTicket,
    image_id: str,
    version_id: str,
    find: Callable[[], dict[str, Any] | None],
) -> dict[str, Any] | None:
    try:
        return tournament.create(
            queries.PICKLE_CREATE,
            model,
            find,
            filename=ticket.filename,
            dataVersionId=version_id,
            dockerImageId=image_id,
        )
    except RequestRefused as refused:
        raise ModelRefused(
            f"expected the tournament to accept {path.name}, found that it responds: "
            f"{refused.message}",
            "nothing was uploaded: correct it and try again",
        ) from refused


def _require_suitable(path: Path, choice: UploadChoice) -> Inspection | None:
    """Inspect the pickle; `None` if it cannot be inspected.

    Raises:
        ModelUnavailable: there is no such file.
        ModelRefused: the pickle would fail where it is hosted, and `force` is not set.
    """
    suitability = _inspect(path)
    objection = suitability.objection
    if objection and not choice.force:
        raise ModelRefused(
            f"expected a pickle fit to be hosted, found {objection}",
            "correct it, or upload it anyway with --ignore-inspection; "
            "`numerai-predict inspect` shows the details",
        )
    if objection:
        log_step("warning", f"uploaded anyway: {objection}")
    for warning in suitability.warnings:
        log_step("warning", warning)
    return suitability.inspection


def _choose_hosting(
    path: Path,
    inspection: Inspection | None,
    choice: UploadChoice,
    offers: HostedOffers,
    server: str,
) -> _Hosting:
    """Python and data version: by choice, by the pickle, by the tournament's default."""
    bundle = check_pickle(str(path), sha256_of(path))
    chosen = choose_image(inspection) if inspection else None
    python = chosen.image.python if chosen and not _is_python_unknown(inspection) else None
    named = inspection.data_versions if inspection else ()
    version = (bundle and bundle.data_version) or (named[0] if named else offers.versions.default)
    hosting = _Hosting(
        choice.python or python or offers.default_python or _DEFAULT_PYTHON,
        choice.version or version or KNOWN_DATA_VERSION,
        inspection,
    )
    if not choice.force:
        check_python(bundle, hosting.python)
    live = f"{hosting.version}/live.parquet"
    check_data(bundle, ModelInput(live, (), server, choice.allow_version_mismatch))
    return hosting


def _is_python_unknown(inspection: Inspection | None) -> bool:
    """Whether functions may be in the part of the pickle that was not inspected."""
    return inspection is None or bool(inspection.partial and inspection.pythons.legal is None)


def _inspect(path: Path) -> _Suitability:
    try:
        inspection = inspect_pickle(path)
    except InvalidPickle as error:
        inspection, objection = None, error.message
    except OSError as error:
        raise ModelUnavailable(
            f"expected a pickle at {path}, found: {error.strerror}", "check the path"
        ) from error
    if path.suffix != ".pkl":
        return _Suitability(inspection, f"a name that does not end in .pkl: {path.name}")
    if inspection is None:
        return _Suitability(None, objection)
    return _check_image(inspection)


def _check_image(inspection: Inspection) -> _Suitability:
    chosen = choose_image(inspection)
    if chosen is None:
        return _Suitability(inspection, f"no image that runs it: made by {inspection.pythons}")
    if chosen.level >= CompatibilityLevel.LACKS:
        reasons = "; ".join(chosen.reasons)
        return _Suitability(inspection, f"that the image of Python {chosen.image.python} {reasons}")
    return _Suitability(inspection, warnings=tuple(chosen.reasons))


def _hosted_pickle(tournament: Tournament, model: AccountModel) -> dict[str, Any] | None:
    models = tournament.query(queries.PICKLES, scope="read_user_info")["models"]
    found = next((each for each in models if each["id"] == model.id), None)
    pickle: dict[str, Any] | None = found["computePickleUpload"] if found else None
    return pickle


def _wait_for_validation(
    find: Callable[[], dict[str, Any] | None],
    created: dict[str, Any] | None,
    path: Path,
    deadline: Deadline,
    show: Callable[[str], None],
) -> str:
    shown = 0
    while True:
        pickle = find() or created
        lines = _log_lines(pickle)
        for line in lines[shown:]:
            show(line)
        shown = max(shown, len(lines))
        status = str((pickle or {}).get("validationStatus") or "pending").lower()
        state = ValidationState.from_status(status)
        if pickle and state is ValidationState.SUCCEEDED:
            return str(pickle["id"])
        if pickle and state is ValidationState.FAILED:
            raise ModelRefused(
                f"expected {path.name} to be validated, found {status}: "
                f"{brief(lines[-2]) if len(lines) > 1 else 'no log'}",
                "its log is above; correct the model and upload it again",
            )
        time.sleep(deadline.wait(_POLL_SECONDS, "wait for the validation"))


def _log_lines(pickle: dict[str, Any] | None) -> list[str]:
    triggers = (pickle or {}).get("triggers") or []
    return [
        str(line.get("description") or line.get("status"))
        for trigger in triggers
        for line in trigger.get("statuses") or []
    ]
