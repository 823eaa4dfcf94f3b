"""Rows of the store as JSON objects of the API."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from numerai_predict.scoring.payouts import CLIP
from numerai_predict.tournament.entities import SCORED_DAYS
from numerai_predict.tournament.practice.schedule import ScheduledRound, round_by_number
from numerai_predict.tournament.practice.service import DailyScore, PracticeService
from numerai_predict.tournament.practice.stakes import (
    MULTIPLIERS,
    STAKE_THRESHOLD,
    RoundPayout,
    payout_factor,
)
from numerai_predict.tournament.practice.store import TOURNAMENT


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
    factor = _known_factor(practice, each)
    return {
        "id": str(each.number),
        "number": each.number,
        "tournament": TOURNAMENT,
        "target": "target",
        "openTime": practice.to_client_time(each.opens),
        "closeTime": practice.to_client_time(each.closes),
        "closeStakingTime": practice.to_client_time(each.closes),
        "scoreTime": practice.to_client_time(each.score_time(1)),
        "resolveTime": practice.to_client_time(each.resolves),
        "resolvedGeneral": resolved,
        "resolvedStaking": resolved,
        "payoutFactor": None if factor is None else str(factor),
        "stakeThreshold": STAKE_THRESHOLD,
        "roundScoreConfigs": [_score_config(practice, each, name, factor) for name in MULTIPLIERS],
    }


def _known_factor(practice: PracticeService, each: ScheduledRound) -> float | None:
    """The payout factor, which is known when the first scores are."""
    return payout_factor(each.number) if practice.now() >= each.score_time(1) else None


def _score_config(
    practice: PracticeService, each: ScheduledRound, name: str, factor: float | None
) -> dict[str, Any]:
    multiplier = MULTIPLIERS[name]
    return {
        **_score_identity(each, name),
        "roundNumberStart": each.number,
        "roundNumberEnd": each.number,
        "totalScoreDays": SCORED_DAYS,
        "isCanonScore": True,
        "isPayout": True,
        "scoringStart": practice.to_client_time(each.score_time(1)),
        "scoringEnd": practice.to_client_time(each.resolves),
        "minMultiplier": multiplier,
        "maxMultiplier": multiplier,
        "defaultMultiplier": multiplier,
        "clipThreshold": CLIP,
        "stakeThreshold": STAKE_THRESHOLD,
        "payoutFactor": factor,
    }


def _score_identity(each: ScheduledRound, name: str) -> dict[str, str]:
    return {
        "id": f"{each.number}-{name}",
        "scoreConfigId": name,
        "name": name,
        "displayName": name,
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


def serialize_score(practice: PracticeService, each: DailyScore) -> dict[str, Any]:
    """A score as a JSON object of the API."""
    facts = serialize_round(practice, each.round)
    return {
        "roundId": facts["id"],
        "submissionId": each.submission["id"],
        "roundNumber": facts["number"],
        "roundResolveTime": facts["resolveTime"],
        "roundScoreTime": facts["scoreTime"],
        "roundCloseStakingTime": facts["closeStakingTime"],
        "value": each.value,
        "displayName": each.name,
        "date": practice.to_client_time(each.round.score_time(each.day)),
        "day": each.day,
        "resolveDate": facts["resolveTime"],
        "resolved": each.day == SCORED_DAYS,
    }


def serialize_performances(practice: PracticeService, model_id: str) -> list[dict[str, Any]]:
    """The rounds of a model with scores, stake and payouts as JSON objects of the API."""
    account = practice.stake_account(model_id)
    scores = practice.scores(model_id)
    found = []
    for submission in practice.store.submissions(model_id):
        if submission["selected"]:
            number = submission["round"]
            of_round = [each for each in scores if each.round.number == number]
            payout = account.rounds.get(number)
            found.append(_performance(practice, submission, of_round, payout))
    return found


def _performance(
    practice: PracticeService,
    submission: dict[str, Any],
    scores: list[DailyScore],
    payout: RoundPayout | None,
) -> dict[str, Any]:
    round_ = round_by_number(submission["round"])
    facts = serialize_round(practice, round_)
    newest = [each for each in scores if each.day == scores[0].day]
    shares = practice.payout_shares(submission, round_)
    at_risk = payout.at_risk if payout else 0.0
    key = "payoutSettled" if payout and payout.settled else "payoutPending"
    paid = {name: {key: to_nmr(at_risk * share)} for name, share in shares.items()}
    return {
        "roundNumber": facts["number"],
        "roundOpenTime": facts["openTime"],
        "roundResolveTime": facts["resolveTime"],
        "roundResolved": facts["resolvedGeneral"],
        "roundTarget": facts["target"],
        "roundPayoutFactor": facts["payoutFactor"],
        "atRisk": to_nmr(at_risk),
        "payoutMultipliers": [
            {**_score_identity(round_, name), "multiplier": multiplier}
            for name, multiplier in MULTIPLIERS.items()
        ],
        "submissionScores": [
            {**serialize_score(practice, each), **paid.get(each.name, {})} for each in newest
        ],
        "intraRoundSubmissionScores": [serialize_score(practice, each) for each in scores],
    }


def serialize_payouts(
    practice: PracticeService, models: list[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """The payouts of the models' rounds, settled (`actual`) and `pending`, newest first."""
    found: dict[str, list[dict[str, Any]]] = {"actual": [], "pending": []}
    for model in models:
        rounds = practice.stake_account(model["id"]).rounds
        for number, payout in sorted(rounds.items(), reverse=True):
            found["actual" if payout.settled else "pending"].append(
                {
                    "roundId": str(number),
                    "roundNumber": number,
                    "roundResolveTime": practice.to_client_time(round_by_number(number).resolves),
                    "modelId": model["id"],
                    "modelName": model["name"],
                    "modelDisplayName": model["name"],
                    "payoutNmr": to_nmr(payout.payout),
                    "payoutValue": to_nmr(payout.payout),
                    "currencySymbol": "NMR",
                }
            )
    return found


def to_nmr(amount: float) -> str:
    """An amount of NMR as the API prints it."""
    return f"{amount:.9f}"
