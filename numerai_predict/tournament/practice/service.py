"""The practice tournament: clock, presigned URLs, upload tickets, submissions, scores, stakes."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.scoring.payouts import payout_shares
from numerai_predict.tournament.practice.datasets import PracticeDatasets
from numerai_predict.tournament.practice.errors import RequestRejected
from numerai_predict.tournament.practice.faults import FaultInjector
from numerai_predict.tournament.practice.schedule import (
    ScheduledRound,
    current_round,
    round_by_number,
)
from numerai_predict.tournament.practice.stakes import (
    MULTIPLIERS,
    StakeAccount,
    StakeChange,
    StakedRound,
    parse_nmr,
    payout_factor,
    settle,
)
from numerai_predict.tournament.practice.store import PracticeStore

SCORED_VERSION = "v5.2"

_VALID_SECONDS = 3600
_OFFSET = "clock offset"
_SECRET = "signing secret"  # noqa: S105 - the name of a setting


@dataclass(frozen=True)
class DailyScore:
    """A score of a submission as of a day of its round: 1 to 20, the final one."""

    submission: dict[str, Any]
    round: ScheduledRound
    day: int
    name: str
    value: float


@dataclass(frozen=True)
class PracticeService:
    """The operations behind the practice server's API; `url` is the server's address."""

    folder: Path
    store: PracticeStore
    datasets: PracticeDatasets
    faults: FaultInjector
    url: str

    @classmethod
    def open(cls, folder: Path, url: str, shape: SampleShape | None = None) -> PracticeService:
        """Open the practice tournament of the directory; a new one if there is none."""
        (folder / "uploads").mkdir(parents=True, exist_ok=True)
        store = PracticeStore(folder / "practice.sqlite")
        if not store.setting(_SECRET):
            store.set(_SECRET, secrets.token_hex(32))
        first_round = current_round(_now(store)).number
        datasets = PracticeDatasets.open(folder / "data", shape, first_round)
        return cls(folder, store, datasets, FaultInjector(store), url)

    def now(self) -> datetime:
        """The time of the practice clock."""
        return _now(self.store)

    def set_clock(self, moment: datetime | None) -> None:
        """Set the practice clock; `None` for the real time."""
        offset = moment - datetime.now(timezone.utc) if moment else timedelta()
        self.store.set(_OFFSET, str(offset.total_seconds()))

    def to_client_time(self, moment: datetime) -> str:
        """A time of the practice clock in terms of the real clock, as the API prints it.

        Clients compare it with the real clock: for them the schedule is shifted.
        """
        return (moment - self._offset).isoformat().replace("+00:00", "Z")

    @property
    def _offset(self) -> timedelta:
        return _offset(self.store)

    def current_round(self) -> ScheduledRound:
        """The round that opened last."""
        return current_round(self.now())

    def sign(self, area: str, name: str) -> str:
        """The presigned URL of a file, valid for an hour without a key."""
        expires = str(int(time.time()) + _VALID_SECONDS)
        query = urlencode({"expires": expires, "signature": self._mac(area, name, expires)})
        return f"{self.url}/{area}/{quote(name)}?{query}"

    def is_signed(self, area: str, name: str, expires: str, signature: str) -> bool:
        """Whether the signature is the one of `sign` for this file."""
        expected = self._mac(area, name, expires)
        return hmac.compare_digest(expected.encode(), signature.encode())

    def _mac(self, area: str, name: str, expires: str) -> str:
        secret = bytes.fromhex(self.store.setting(_SECRET))
        return hmac.new(secret, f"{area}\n{name}\n{expires}".encode(), hashlib.sha256).hexdigest()

    def ticket(self, kind: str, account: str, model: str | None, filename: str) -> dict[str, str]:
        """Create an upload ticket: a unique file name and its presigned URL."""
        base = re.sub(r"[^A-Za-z0-9._-]", "_", Path(filename).name)[-100:]
        stem, dot, suffix = base.rpartition(".")
        name = f"{stem or base}-{secrets.token_hex(6)}{dot}{suffix if dot and stem else ''}"
        self.store.insert("tickets", filename=name, kind=kind, account=account, model=model)
        return {"filename": name, "url": self.sign("upload", name)}

    def upload_path(self, filename: str) -> Path:
        """The path of an uploaded file, by the name of its ticket."""
        return self.folder / "uploads" / filename

    def uploaded(self, kind: str, account: str, model: str | None, filename: str) -> dict[str, Any]:
        """The ticket of a file that was uploaded for this model.

        Raises:
            RequestRejected: there is none.
        """
        found = self.store.row(
            "SELECT * FROM tickets WHERE filename = ? AND kind = ? AND account = ? AND model IS ?",
            filename,
            kind,
            account,
            model,
        )
        if found is None or found["sha256"] is None:
            raise RequestRejected(f"No file was uploaded as {filename}")
        return found

    def submit(self, account: str, model: str, filename: str) -> str:
        """Make an uploaded file the current round's submission; returns its id.

        A file makes one submission: the same request again returns the same id.

        Raises:
            RequestRejected: there is no such file, or numerai-tools rejects it.
        """
        from numerai_predict.tournament.practice.submission_scoring import validate_submission

        ticket = self.uploaded("submission", account, model, filename)
        number = self.current_round().number
        validate_submission(self.upload_path(filename), self.datasets.era(SCORED_VERSION, number))
        with self.store.transaction():
            known = self.store.row("SELECT id FROM submissions WHERE filename = ?", filename)
            if known:
                return str(known["id"])
            now, identity = self.now(), str(uuid.uuid4())
            self.store.insert(
                "submissions",
                id=identity,
                model=model,
                round=number,
                filename=filename,
                sha256=ticket["sha256"],
                inserted=self.to_client_time(now),
                late=int(not round_by_number(number).is_open(now)),
            )
        return identity

    def scores(self, model: str) -> list[DailyScore]:
        """The daily scores of a model's submissions so far, newest first."""
        return [
            DailyScore(each, round_, day, name, value)
            for each, round_ in self._selected(model)
            for day in range(round_.scored_days(self.now()), 0, -1)
            for name, value in self._scores_of_day(each, round_, day).items()
        ]

    def _selected(self, model: str) -> list[tuple[dict[str, Any], ScheduledRound]]:
        found = [each for each in self.store.submissions(model) if each["selected"]]
        return [(each, round_by_number(each["round"])) for each in found]

    def _scores_of_day(
        self, submission: dict[str, Any], round_: ScheduledRound, day: int
    ) -> dict[str, float]:
        """The scores by name; computed at first use."""
        from numerai_predict.tournament.practice.submission_scoring import score_submission

        known = self.store.rows(
            "SELECT name, value FROM daily_scores WHERE submission = ? AND day = ? ORDER BY rowid",
            submission["id"],
            day,
        )
        if known:
            return {row["name"]: row["value"] for row in known}
        scores = score_submission(
            self.upload_path(submission["filename"]),
            self.datasets.era(SCORED_VERSION, round_.number),
            self.datasets.target(SCORED_VERSION, round_.number, day),
        )
        with self.store.transaction():
            for name, value in scores.items():
                self.store.rows(
                    "INSERT OR IGNORE INTO daily_scores (submission, day, name, value) "
                    "VALUES (?, ?, ?, ?)",
                    submission["id"],
                    day,
                    name,
                    value,
                )
        return scores

    def set_stake(self, model: str, amount: float) -> None:
        """Set the stake of a model, in NMR, from now on."""
        moment = self.now().isoformat()
        self.store.insert("stakes", model=model, moment=moment, amount=amount)

    def set_stakes(self, names: object, nmr: object) -> None:
        """Set the stake of models by name.

        Raises:
            ValueError: there is no such model, or no such amount.
        """
        models = {row["name"]: row["id"] for row in self.store.rows("SELECT * FROM models")}
        if not isinstance(names, list) or not all(str(each) in models for each in names):
            raise ValueError(f"expected models among {', '.join(sorted(models))}, found {names}")
        amount = parse_nmr(nmr)
        for name in names:
            self.set_stake(models[str(name)], amount)

    def stakes(self) -> dict[str, float | None]:
        """The stake of every model by its name, in NMR, without pending payouts."""
        models = self.store.rows("SELECT * FROM models ORDER BY name")
        return {each["name"]: self.stake_account(each["id"]).stake for each in models}

    def payout_shares(self, submission: dict[str, Any], round_: ScheduledRound) -> dict[str, float]:
        """What each score of the newest day pays, as a share of the stake."""
        day = round_.scored_days(self.now())
        scores = self._scores_of_day(submission, round_, day) if day else {}
        return payout_shares(scores, MULTIPLIERS, payout_factor(round_.number))

    def stake_account(self, model: str) -> StakeAccount:
        """The stake of a model, and the payouts of its rounds."""
        changes = [
            StakeChange(datetime.fromisoformat(row["moment"]), row["amount"])
            for row in self.store.rows(
                "SELECT moment, amount FROM stakes WHERE model = ? ORDER BY rowid", model
            )
        ]
        rounds = [
            StakedRound(
                round_.number,
                round_.closes,
                round_.resolves,
                sum(self.payout_shares(each, round_).values()),
            )
            for each, round_ in self._selected(model)
            if changes and not each["late"]
        ]
        return settle(changes, rounds, self.now())


def _offset(store: PracticeStore) -> timedelta:
    """How far the practice clock is ahead of the real one."""
    return timedelta(seconds=float(store.setting(_OFFSET, "0")))


def _now(store: PracticeStore) -> datetime:
    return datetime.now(timezone.utc) + _offset(store)
