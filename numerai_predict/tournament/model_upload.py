"""Hosted models: a pickle is inspected, uploaded, and watched until it is validated."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import InvalidPickle, ModelUnavailable
from numerai_predict.contract.tournament_errors import ModelRefused
from numerai_predict.inspection.compatibility import CompatibilityLevel, choose_image
from numerai_predict.inspection.inspect import Inspection, inspect_pickle
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.graphql import RequestRefused
from numerai_predict.storage.presigned_put import put_to_presigned_url
from numerai_predict.tournament import queries
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.entities import AccountModel

DEFAULT_VERSION = "v5.2"

_PENDING = {"pending", "queued", "starting", "running", "validating"}
_SUCCESS = {"success", "succeeded", "completed", "validated", "valid"}
_POLL_SECONDS = 2.0


@dataclass(frozen=True)
class UploadChoice:
    """What a pickle is to be hosted with; `None` for what its inspection finds."""

    python: str | None = None
    version: str | None = None
    force: bool = False


@dataclass(frozen=True)
class _Hosting:
    python: str | None
    version: str


def upload(
    tournament: Tournament,
    model: AccountModel,
    path: Path,
    choice: UploadChoice,
    deadline: Deadline,
    show: Callable[[str], None],
) -> str:
    """Make the pickle the model's hosted one; its id, once the tournament has validated it.

    `show` gets the lines of the validation's log as they come.

    Raises:
        ModelUnavailable: there is no such file.
        ModelRefused: the inspection or the tournament finds it unfit.
        NotAuthorised, TournamentUnavailable, UploadFailed, DeadlinePassed: see there.
    """
    hosting = _inspected(path, choice)
    images = _listed(tournament, queries.DOCKER_IMAGES)
    versions = _listed(tournament, queries.DATA_VERSIONS)
    python = hosting.python or "3.12"
    image = _named(images, f"Python {python}", "docker image", "--python")
    version = _named(versions, hosting.version, "data version", "--data-version")
    log_step("upload", f"{path.name} for Python {python} and the data {hosting.version}")
    filename, url = tournament.pickle_ticket(path, model)
    put_to_presigned_url(path, url, tournament.api.terms)

    def find() -> dict[str, Any] | None:
        found = _pickle(tournament, model)
        return found if found and found["filename"] == filename else None

    try:
        made = tournament.create(
            queries.PICKLE_CREATE,
            model,
            find,
            filename=filename,
            dataVersionId=version,
            dockerImageId=image,
        )
    except RequestRefused as refused:
        raise ModelRefused(
            f"expected the tournament to take {path.name}, found that it says: {refused.words}",
            "nothing was uploaded: correct it and try again",
        ) from refused
    log_step("upload", f"uploaded as {filename}; waiting for its validation")
    return _watch(find, made, path, deadline, show)


def _inspected(path: Path, choice: UploadChoice) -> _Hosting:
    """Python and data version by the pickle's own words.

    Raises:
        ModelRefused: it would fail where it is hosted, and that is not forced.
    """
    found, trouble = _trouble_of(path)
    if trouble and not choice.force:
        raise ModelRefused(
            f"expected a pickle fit to be hosted, found {trouble}",
            "correct it, or upload it all the same with --force; `numerai-predict inspect` tells "
            "more",
        )
    if trouble:
        log_step("warning", f"uploaded all the same: {trouble}")
    chosen = choose_image(found) if found else None
    told = found.data_versions[0] if found and found.data_versions else DEFAULT_VERSION
    return _Hosting(
        choice.python or (chosen.image.python if chosen else None), choice.version or told
    )


def _trouble_of(path: Path) -> tuple[Inspection | None, str | None]:
    """The inspection, and what it has against hosting the pickle."""
    if path.suffix != ".pkl":
        return _examined(path)[0], f"a name that does not end in .pkl: {path.name}"
    found, trouble = _examined(path)
    if found is None:
        return None, trouble
    chosen = choose_image(found)
    if chosen is None:
        return found, f"no image that runs it: made by {found.pythons}"
    if chosen.level >= CompatibilityLevel.LACKS:
        return found, f"that the image of Python {chosen.image.python} {'; '.join(chosen.reasons)}"
    for reason in chosen.reasons:
        log_step("warning", reason)
    return found, None


def _examined(path: Path) -> tuple[Inspection | None, str]:
    try:
        return inspect_pickle(path), ""
    except InvalidPickle as error:
        return None, error.message
    except OSError as error:
        raise ModelUnavailable(
            f"expected a pickle at {path}, found: {error.strerror}", "check the path"
        ) from error


def _listed(tournament: Tournament, query: str) -> dict[str, str]:
    return {each["name"]: each["id"] for each in tournament.query(query, scope="")}


def _named(listed: dict[str, str], name: str, what: str, option: str) -> str:
    if name not in listed:
        raise ModelRefused(
            f"expected a {what} of the tournament, found {name!r}; "
            f"there are {', '.join(listed) or 'none'}",
            f"choose one with {option}",
        )
    return listed[name]


def _pickle(tournament: Tournament, model: AccountModel) -> dict[str, Any] | None:
    models = tournament.query(queries.PICKLES, scope="read_user_info")["models"]
    found = next((each for each in models if each["id"] == model.id), None)
    pickle: dict[str, Any] | None = found["computePickleUpload"] if found else None
    return pickle


def _watch(
    find: Callable[[], dict[str, Any] | None],
    made: dict[str, Any] | None,
    path: Path,
    deadline: Deadline,
    show: Callable[[str], None],
) -> str:
    shown = 0
    while True:
        found = find() or made
        lines = _log(found)
        for line in lines[shown:]:
            show(line)
        shown = max(shown, len(lines))
        state = str((found or {}).get("validationStatus") or "pending").lower()
        if found and state in _SUCCESS:
            return str(found["id"])
        if found and state not in _PENDING:
            raise ModelRefused(
                f"expected {path.name} to be validated, found {state}: "
                f"{lines[-2] if len(lines) > 1 else 'no log'}",
                "its log is above; correct the model and upload it again",
            )
        time.sleep(deadline.wait(_POLL_SECONDS, "wait for the validation"))


def _log(pickle: dict[str, Any] | None) -> list[str]:
    triggers = (pickle or {}).get("triggers") or []
    return [
        str(line.get("description") or line.get("status"))
        for trigger in triggers
        for line in trigger.get("statuses") or []
    ]
