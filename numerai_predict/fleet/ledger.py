"""The ledger of a fleet run: a SQLite log of events, and the current state of every model.

Two processes write it, the coordinator and the delivery process, each through its own connection.
It never contains the URL or the fields of an upload, or the query string of a source.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from numerai_predict.contract.foreign_text import printable_lines
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.storage.sqlite import transaction

FILE = "fleet.sqlite"

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
_LOCK_WAIT_SECONDS = 30.0
# SQLite's default of 2,000 KiB would fill slowly, which looks like a leak of the coordinator.
_CACHE_KIB = 256


@dataclass(frozen=True)
class Row:
    """A model's row of the table `models`; times are seconds since 1970 (UTC).

    `place` is the environment that the model runs in.
    """

    id: str
    state: ModelState
    verdict: str | None
    message: str | None
    place: str | None
    worker: str | None
    attempts: int
    started: float | None
    ended: float | None
    seconds: float | None
    peak_bytes: int | None

    @property
    def status(self) -> str:
        """The verdict of a model that has ended, the state of any other."""
        return (self.verdict if self.state.is_final else None) or self.state.value


class Event(NamedTuple):
    """A change of a model's state; `at` is in seconds since 1970 (UTC)."""

    model: str
    state: ModelState
    at: float
    attempt: int
    worker: str | None


_COLUMNS = ", ".join(Row.__annotations__)


class FleetLedger:
    """The ledger of one output directory."""

    def __init__(self, directory: Path) -> None:
        self._connection = sqlite3.connect(
            directory / FILE,
            timeout=_LOCK_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        # Survives a killed process, but not always a power failure; see `record_delivery`.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(f"PRAGMA cache_size={-_CACHE_KIB}")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def add_models(self, model_ids: Iterable[str]) -> None:
        """Queue the models that the ledger does not contain yet."""
        now = time.time()
        with transaction(self._connection):
            for model_id in model_ids:
                added = self._connection.execute(
                    "INSERT OR IGNORE INTO models (id, state) VALUES (?, ?)",
                    (model_id, ModelState.QUEUED.value),
                )
                if added.rowcount:
                    self._append_event(model_id, ModelState.QUEUED, now)

    def record_event(
        self, model_id: str, state: ModelState, detail: str | None = None, **columns: Any
    ) -> None:
        """Log an event of a model, and set its state and the given columns of its row.

        The state of a delivered model does not change any more.
        """
        now = time.time()
        detail = None if detail is None else printable_lines(detail)
        if columns.get("message") is not None:
            columns["message"] = printable_lines(columns["message"])
        if state is ModelState.RUNNING:
            columns["started"] = now
        if state.is_final:
            columns["ended"] = now
        changes = "".join(f", {column} = ?" for column in columns)
        attempt = ", attempts = attempts + 1" if state is ModelState.RUNNING else ""
        with transaction(self._connection):
            self._connection.execute(
                f"UPDATE models SET state = ?{changes}{attempt} WHERE id = ? AND state != ?",  # noqa: S608 - our column names
                (state.value, *columns.values(), model_id, ModelState.DELIVERED.value),
            )
            self._append_event(model_id, state, now, columns.get("worker"), detail)

    def record_delivery(self, model_id: str, record: dict[str, Any]) -> None:
        """Log the delivery of a model's predictions; synced to disk when this returns."""
        self._connection.execute("PRAGMA synchronous=FULL")
        try:
            self.record_event(
                model_id,
                ModelState.DELIVERED,
                verdict=record["verdict"],
                record=json.dumps(record),
            )
        finally:
            self._connection.execute("PRAGMA synchronous=NORMAL")

    def requeue(self, states: Iterable[ModelState], detail: str) -> list[str]:
        """Queue the models in these states again; returns their ids."""
        values = [state.value for state in states]
        marks = ", ".join("?" * len(values))
        found = self._connection.execute(
            f"SELECT id FROM models WHERE state IN ({marks})",  # noqa: S608 - question marks
            values,
        ).fetchall()
        for (model_id,) in found:
            self.record_event(model_id, ModelState.QUEUED, detail, verdict=None, message=None)
        return [model_id for (model_id,) in found]

    def state(self, model_id: str) -> ModelState | None:
        """The state of a model, `None` if the ledger does not contain it."""
        value = self._value("SELECT state FROM models WHERE id = ?", model_id)
        return ModelState(value) if value else None

    def record(self, model_id: str) -> dict[str, Any] | None:
        """The result record of a model, `None` if there is none yet."""
        value = self._value("SELECT record FROM models WHERE id = ?", model_id)
        return json.loads(value) if value else None

    def count_losses(self, model_id: str) -> int:
        """How many workers crashed while they ran the model, since it last failed."""
        found = self._connection.execute(
            "SELECT count(*) FROM facts WHERE model = ?1 AND fact = ?2 AND number > coalesce("
            "(SELECT max(number) FROM facts WHERE model = ?1 AND fact = ?3), 0)",
            (model_id, ModelState.LOST.value, ModelState.FAILED.value),
        )
        return int(found.fetchone()[0])

    def rows(self) -> Iterator[Row]:
        """All models, sorted by id."""
        for model_id, state, *values in self._connection.execute(
            f"SELECT {_COLUMNS} FROM models ORDER BY id"  # noqa: S608 - our column names
        ):
            yield Row(model_id, ModelState(state), *values)

    def count_by_state(self) -> dict[ModelState, int]:
        """How many models are in each state."""
        counts = self._connection.execute("SELECT state, count(*) FROM models GROUP BY state")
        return {ModelState(state): count for state, count in counts}

    def count_by_verdict(self) -> dict[str, int]:
        """How many models ended with each verdict."""
        return dict(
            self._connection.execute(
                "SELECT verdict, count(*) FROM models WHERE state IN (?, ?) GROUP BY verdict",
                [state.value for state in ModelState if state.is_final],
            )
        )

    def events(self, model_id: str | None = None) -> list[Event]:
        """The events of a model, or of all models, in the order in which they happened."""
        found = self._connection.execute(
            "SELECT model, fact, at, attempt, worker FROM facts "
            "WHERE ?1 IS NULL OR model = ?1 ORDER BY number",
            (model_id,),
        )
        return [
            Event(model, ModelState(fact), at, attempt, worker)
            for model, fact, at, attempt, worker in found
        ]

    def set_meta(self, name: str, value: str) -> None:
        """Store a value that concerns the whole fleet run."""
        self._connection.execute("INSERT OR REPLACE INTO round VALUES (?, ?)", (name, value))

    def _value(self, query: str, model_id: str) -> str | None:
        row = self._connection.execute(query, (model_id,)).fetchone()
        return row[0] if row else None

    def _append_event(
        self,
        model_id: str,
        state: ModelState,
        at: float,
        worker: str | None = None,
        detail: str | None = None,
    ) -> None:
        self._connection.execute(
            "INSERT INTO facts (model, fact, at, attempt, worker, words) "
            "SELECT id, ?, ?, attempts, coalesce(?, worker), ? FROM models WHERE id = ?",
            (state.value, at, worker, detail, model_id),
        )


def format_utc(seconds: float | None) -> str:
    """A time in seconds since 1970 as text; a dash for `None`."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
