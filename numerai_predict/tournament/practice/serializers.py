"""Rows of the store as JSON objects of the API."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from numerai_predict.tournament.practice.schedule import ScheduledRound, round_by_number
from numerai_predict.tournament.practice.service import PracticeService
from numerai_predict.tournament.practice.store import TOURNAMENT

_DAY = 20  # of the final score


class RoundStatus(Enum):
    """The status of a round, by its name in the API."""

    UPCOMING = "UPCOMING"
    OPEN = "OPEN"
    RESOLVING = "RESOLVING"
    RESOLVED = "RESOLVED"


def round_status(each: ScheduledRound, now: datetime) -> RoundStatus:
    """The status of a round at a time."""
    if now < each.opens:
        return RoundStatus.UPCOMING
    if each.is_open(now):
        return RoundStatus.OPEN
    return RoundStatus.RESOLVED if now >= each.resolves else RoundStatus.RESOLVING


def serialize_round(practice: PracticeService, each: ScheduledRound) -> dict[str, Any]:
    """A round as a JSON object of the API."""
    resolved = practice.now() >= each.resolves
    return {
        "id": str(each.number),
        "number": each.number,
        "tournament": TOURNAMENT,
        "target": "target",
        "openTime": practice.to_client_time(each.opens),
        "closeTime": practice.to_client_time(each.closes),
        "closeStakingTime": practice.to_client_time(each.closes),
        "scoreTime": practice.to_client_time(each.scores),
        "resolveTime": practice.to_client_time(each.resolves),
        "resolvedGeneral": resolved,
        "resolvedStaking": resolved,
        "roundScoreConfigs": [],
    }


def serialize_key(key: dict[str, Any]) -> dict[str, Any]:
    """A key as a JSON object of the API, without its secret."""
    identity = key["public_id"]
    scopes = key["scopes"].split()
    return {"name": key["name"], "publicId": identity, "public_id": identity, "scopes": scopes}


def serialize_model(practice: PracticeService, found: dict[str, Any]) -> dict[str, Any]:
    """A model as a JSON object of the API."""
    pickles = practice.store.rows(
        "SELECT * FROM pickles WHERE model = ? ORDER BY rowid DESC LIMIT 1", found["id"]
    )
    return {
        "id": found["id"],
        "name": found["name"],
        "username": found["name"],
        "displayName": found["name"],
        "tournament": TOURNAMENT,
        "submissions": serialize_submissions(practice, found["id"]),
        "computePickleUpload": serialize_pickle(practice, pickles[0]) if pickles else None,
    }


def serialize_submissions(practice: PracticeService, model_id: str) -> list[dict[str, Any]]:
    """A model's submissions as JSON objects of the API."""
    return [
        {
            "id": each["id"],
            "filename": each["filename"],
            "insertedAt": each["inserted"],
            "selected": each["selected"],
            "round": serialize_round(practice, round_by_number(each["round"])),
        }
        for each in practice.store.submissions(model_id)
    ]


def serialize_pickle(practice: PracticeService, found: dict[str, Any]) -> dict[str, Any]:
    """An uploaded pickle with its log as a JSON object of the API."""
    log = practice.store.rows(
        "SELECT * FROM pickle_log WHERE pickle = ? ORDER BY number", found["id"]
    )
    statuses = [
        {
            "status": line["status"],
            "description": line["description"],
            "insertedAt": line["inserted"],
        }
        for line in log
    ]
    return {
        "id": found["id"],
        "filename": found["filename"],
        "modelId": found["model"],
        "insertedAt": found["inserted"],
        "validationStatus": found["status"],
        "triggerStatus": found["status"],
        "assignedModelSlots": [found["model"]],
        "triggers": [{"id": found["id"], "status": found["status"], "statuses": statuses}],
    }


def serialize_score(practice: PracticeService, each: dict[str, Any]) -> dict[str, Any]:
    """A score as a JSON object of the API."""
    facts = serialize_round(practice, each["round"])
    return {
        "roundId": facts["id"],
        "submissionId": each["submission"]["id"],
        "roundNumber": facts["number"],
        "roundResolveTime": facts["resolveTime"],
        "roundScoreTime": facts["scoreTime"],
        "roundCloseStakingTime": facts["closeStakingTime"],
        "value": each["value"],
        "displayName": each["name"],
        "date": facts["resolveTime"],
        "day": _DAY,
        "resolveDate": facts["resolveTime"],
        "resolved": True,
    }
