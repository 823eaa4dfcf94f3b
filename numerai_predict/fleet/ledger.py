"""What became of every model, in SQLite: facts as they happened, and where each model stands.

Two processes write it, the agent and its courier, each with a connection of its own. It holds
no upload's URL or fields, and no query of a source.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from numerai_predict.storage.sqlite import transaction

FILE = "fleet.sqlite"

QUEUED, INSPECTED, RUNNING, PREDICTED = "queued", "inspected", "running", "predicted"
SENT, DELIVERED, FAILED, LOST = "sent", "delivered", "failed", "lost"
_ENDED = (DELIVERED, FAILED)
UNFINISHED = (QUEUED, INSPECTED, RUNNING, PREDICTED, SENT, LOST)

_TABLES = """
CREATE TABLE IF NOT EXISTS models (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, verdict TEXT, message TEXT, place TEXT,
    worker TEXT, attempts INTEGER NOT NULL DEFAULT 0, started REAL, ended REAL,
    seconds REAL, peak_bytes INTEGER, sha256 TEXT, record TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_state ON models (state);
CREATE TABLE IF NOT EXISTS facts (
    number INTEGER PRIMARY KEY, model TEXT NOT NULL, fact TEXT NOT NULL, at REAL NOT NULL,
    attempt INTEGER NOT NULL, worker TEXT, words TEXT
);
CREATE INDEX IF NOT EXISTS by_model ON facts (model, fact);
CREATE TABLE IF NOT EXISTS round (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
_PATIENCE_SECONDS = 30.0
_CACHE_KIB = 256  # SQLite's own 2,000 would fill as models end: the agent would seem to leak


@dataclass(frozen=True)
class Row:
    """Where a model stands; times in seconds since 1970 (UTC)."""

    id: str
    state: str
    verdict: str | None
    message: str | None
    place: str | None
    worker: str | None
    attempts: int
    started: float | None
    ended: float | None
    seconds: float | None
    peak_bytes: int | None


_ROW = ", ".join(Row.__annotations__)


class FleetLedger:
    """The ledger of one output directory."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE
        self._connection = sqlite3.connect(
            self._file,
            timeout=_PATIENCE_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        # What a killed process wrote is kept; what a machine lost its power over may not be.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(f"PRAGMA cache_size={-_CACHE_KIB}")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def add_models(self, ids: Iterable[str]) -> None:
        """Queue the models that the ledger does not know."""
        now = time.time()
        with transaction(self._connection):
            for name in ids:
                added = self._connection.execute(
                    "INSERT OR IGNORE INTO models (id, state) VALUES (?, ?)", (name, QUEUED)
                )
                if added.rowcount:
                    self._write_fact(name, QUEUED, now, None, None)

    def record_event(self, name: str, fact: str, words: str | None = None, **columns: Any) -> None:
        """A fact about a model: its state from now on; `columns` change with it.

        A model that was delivered stays so.
        """
        now = time.time()
        if fact == RUNNING:
            columns["started"] = now
        if fact in _ENDED:
            columns["ended"] = now
        changes = "".join(f", {column} = ?" for column in columns)
        more = ", attempts = attempts + 1" if fact == RUNNING else ""
        with transaction(self._connection):
            self._connection.execute(
                f"UPDATE models SET state = ?{changes}{more} WHERE id = ? AND state != ?",  # noqa: S608 - names of ours
                (fact, *columns.values(), name, DELIVERED),
            )
            self._write_fact(name, fact, now, columns.get("worker"), words)

    def delivered(self, name: str, record: dict[str, Any]) -> None:
        """The model's predictions are where they were to go; on the disk when this returns."""
        self._connection.execute("PRAGMA synchronous=FULL")
        try:
            self.record_event(name, DELIVERED, verdict=record["verdict"], record=json.dumps(record))
        finally:
            self._connection.execute("PRAGMA synchronous=NORMAL")

    def requeue(self, states: Iterable[str], words: str) -> list[str]:
        """Queue the models in these states again; their ids."""
        marks = ", ".join("?" * len(states := list(states)))
        found = self._connection.execute(
            f"SELECT id FROM models WHERE state IN ({marks})",  # noqa: S608 - question marks
            states,
        ).fetchall()
        for (name,) in found:
            self.record_event(name, QUEUED, words, verdict=None, message=None)
        return [name for (name,) in found]

    def state(self, name: str) -> str | None:
        """The last fact about the model."""
        found = self._connection.execute("SELECT state FROM models WHERE id = ?", (name,))
        row = found.fetchone()
        return row and str(row[0])

    def record(self, name: str) -> dict[str, Any] | None:
        """The result record of a model, as far as it got."""
        found = self._connection.execute("SELECT record FROM models WHERE id = ?", (name,))
        row = found.fetchone()
        return json.loads(row[0]) if row and row[0] else None

    def lost_times(self, name: str) -> int:
        """How often a worker was lost that ran the model, since it last failed."""
        found = self._connection.execute(
            "SELECT count(*) FROM facts WHERE model = ?1 AND fact = ?2 AND number > coalesce("
            "(SELECT max(number) FROM facts WHERE model = ?1 AND fact = ?3), 0)",
            (name, LOST, FAILED),
        )
        return int(found.fetchone()[0])

    def rows(self) -> Iterator[Row]:
        """All models, by id."""
        for row in self._connection.execute(f"SELECT {_ROW} FROM models ORDER BY id"):  # noqa: S608
            yield Row(*row)

    def states(self) -> dict[str, int]:
        """How many models are in each state."""
        return dict(self._connection.execute("SELECT state, count(*) FROM models GROUP BY state"))

    def verdicts(self) -> dict[str, int]:
        """How many models ended with each verdict."""
        return dict(
            self._connection.execute(
                "SELECT verdict, count(*) FROM models WHERE state IN (?, ?) GROUP BY verdict",
                _ENDED,
            )
        )

    def facts(self, name: str | None = None) -> list[tuple[str, str, float, int, str | None]]:
        """Model, fact, time, attempt and worker of all facts, or a model's, as they happened."""
        return self._connection.execute(
            "SELECT model, fact, at, attempt, worker FROM facts "
            "WHERE ?1 IS NULL OR model = ?1 ORDER BY number",
            (name,),
        ).fetchall()

    def set_meta(self, name: str, value: str) -> None:
        """Something about the round as a whole."""
        self._connection.execute("INSERT OR REPLACE INTO round VALUES (?, ?)", (name, value))

    def get_meta(self, name: str) -> str | None:
        """What was remembered."""
        row = self._connection.execute("SELECT value FROM round WHERE name = ?", (name,)).fetchone()
        return row and str(row[0])

    def _write_fact(
        self, name: str, fact: str, at: float, worker: str | None, words: str | None
    ) -> None:
        self._connection.execute(
            "INSERT INTO facts (model, fact, at, attempt, worker, words) "
            "SELECT id, ?, ?, attempts, coalesce(?, worker), ? FROM models WHERE id = ?",
            (fact, at, worker, words, name),
        )


def as_utc(seconds: float | None) -> str:
    """A time of the ledger for people."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
