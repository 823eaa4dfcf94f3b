"""The ledger of a fleet run: a SQLite log of events, and the current state of every model.

Two processes write it, the coordinator and the delivery process, each through its own connection.
It never contains the URL or the fields of an upload, or the query string of a source.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numerai_predict.contract.foreign_text import printable_lines
from numerai_predict.fleet.ledger_rows import DeliveryStart, Event, LedgerResult, Row
from numerai_predict.fleet.ledger_tables import create_tables
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.storage.sqlite import transaction

FILE = "fleet.sqlite"

_LOCK_WAIT_SECONDS = 30.0
# SQLite's default of 2,000 KiB would fill slowly, which looks like a leak of the coordinator.
_CACHE_KIB = 256


_COLUMNS = ", ".join(Row.__annotations__)
_WITHDRAW = """
UPDATE models SET state = ?, verdict = NULL, message = NULL, place = NULL, worker = NULL,
    started = NULL, ended = NULL, seconds = NULL, peak_bytes = NULL, sha256 = NULL, record = NULL,
    key = NULL, destination = NULL
WHERE id = ?
"""


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
        create_tables(self._connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def add_models(self, tags: Mapping[str, Sequence[str]]) -> None:
        """Queue the models that the ledger does not contain yet, and set the tags of all, by id."""
        now = time.time()
        with transaction(self._connection):
            for model_id, own in tags.items():
                added = self._connection.execute(
                    "INSERT OR IGNORE INTO models (id, state) VALUES (?, ?)",
                    (model_id, ModelState.QUEUED.value),
                )
                if added.rowcount:
                    self._append_event(model_id, ModelState.QUEUED, now)
                value = (" ".join(own) or None, model_id)
                self._connection.execute("UPDATE models SET tags = ? WHERE id = ?", value)

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

    def begin_run(self, run: str) -> None:
        """Make this the only fleet run whose deliveries may begin; no result is checked yet."""
        values = {"run": run, "started": str(time.time()), "data": "", "reuse": "[]"}
        with transaction(self._connection):
            for name, value in values.items():
                self.set_meta(name, value)

    def set_reuse(self, shared_key: str, lines: Iterable[str]) -> None:
        """Store what the fleet run compared results with, and what it says about them."""
        with transaction(self._connection):
            self.set_meta("data", shared_key)
            self.set_meta("reuse", json.dumps(list(lines)))

    def begin_delivery(self, model_id: str, key: str, delivery: str, run: str) -> DeliveryStart:
        """Log that an upload begins, provided that it is still wanted and was not done before.

        It is not wanted when another fleet run has begun, or the model has another result. What
        each destination has is known, so that predictions that return to one are not sent again.
        """
        query = (
            "SELECT state, key, models.destination, delivery FROM models LEFT JOIN deliveries "
            "ON model = id AND deliveries.destination = models.destination WHERE id = ?"
        )
        with transaction(self._connection):
            row = self._connection.execute(query, (model_id,)).fetchone()
            state, current_key, destination, delivered = row
            if current_key != key or (self.meta("run") or "") != run:
                return DeliveryStart.SUPERSEDED
            if state == ModelState.DELIVERED.value:
                return DeliveryStart.RECORDED
            if delivered == delivery:
                return DeliveryStart.DELIVERED_BEFORE
            # Until it has ended it is unknown what the destination has.
            self._connection.execute(
                "DELETE FROM deliveries WHERE model = ? AND destination = ?",
                (model_id, destination),
            )
            self._connection.execute(
                "UPDATE models SET state = ? WHERE id = ?", (ModelState.SENT.value, model_id)
            )
            self._append_event(model_id, ModelState.SENT, time.time())
        return DeliveryStart.BEGUN

    def record_delivery(self, model_id: str, record: dict[str, Any], delivery: str) -> None:
        """Log the delivery of a model's predictions; synced to disk when this returns."""
        self._connection.execute("PRAGMA synchronous=FULL")
        try:
            # First what the destination has: a process killed in between does not send it again.
            self._connection.execute(
                "INSERT OR REPLACE INTO deliveries "
                "SELECT id, destination, ? FROM models WHERE id = ? AND destination IS NOT NULL",
                (delivery, model_id),
            )
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

    def withdraw(self, model_ids: Iterable[str], detail: str) -> None:
        """Queue models again whose results are no longer valid, delivered ones included.

        What was delivered last stays known.
        """
        now = time.time()
        with transaction(self._connection):
            for model_id in model_ids:
                self._connection.execute(_WITHDRAW, (ModelState.QUEUED.value, model_id))
                self._append_event(model_id, ModelState.QUEUED, now, detail=detail)

    def redeliver(self, model_id: str, destination: str) -> None:
        """Mark the result of a model as predicted: it goes to another destination now."""
        now = time.time()
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE models SET state = ?, destination = ? WHERE id = ?",
                (ModelState.PREDICTED.value, destination, model_id),
            )
            self._append_event(model_id, ModelState.PREDICTED, now, detail="another destination")

    def results(self) -> dict[str, LedgerResult]:
        """The results of all models that have one, by id."""
        states = [state.value for state in ModelState if state.has_result]
        marks = ", ".join("?" * len(states))
        columns = "id, state, verdict, key, destination, sha256"
        found = self._connection.execute(
            f"SELECT {columns} FROM models WHERE state IN ({marks})",  # noqa: S608 - question marks
            states,
        )
        return {row[0]: LedgerResult(ModelState(row[1]), *row[2:]) for row in found}

    def state(self, model_id: str) -> ModelState | None:
        """The state of a model, `None` if the ledger does not contain it."""
        value = self._value("SELECT state FROM models WHERE id = ?", model_id)
        return ModelState(value) if value else None

    def record(self, model_id: str) -> dict[str, Any] | None:
        """The result record of a model, `None` if there is none yet."""
        value = self._value("SELECT record FROM models WHERE id = ?", model_id)
        return json.loads(value) if value else None

    def remedies(self) -> dict[str, str]:
        """The remedies of the models that failed, by id."""
        found = self._connection.execute(
            "SELECT id, record FROM models WHERE state = ? AND record IS NOT NULL",
            (ModelState.FAILED.value,),
        )
        records = ((model_id, json.loads(record)) for model_id, record in found)
        return {model_id: record["remedy"] for model_id, record in records if record.get("remedy")}

    def key(self, model_id: str) -> str | None:
        """The key of a model's result as text, `None` if there is none."""
        return self._value("SELECT key FROM models WHERE id = ?", model_id)

    def count_losses(self, model_id: str) -> int:
        """How many workers crashed while they ran the model, since it last had a result."""
        found = self._connection.execute(
            "SELECT count(*) FROM facts WHERE model = :model AND fact = :lost AND number > "
            "coalesce((SELECT max(number) FROM facts "
            "WHERE model = :model AND fact IN (:failed, :predicted)), 0)",
            {
                "model": model_id,
                "lost": ModelState.LOST.value,
                "failed": ModelState.FAILED.value,
                "predicted": ModelState.PREDICTED.value,
            },
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

    def verdicts(self) -> dict[str, str]:
        """The verdicts of all models that have ended, by id."""
        return dict(
            self._connection.execute(
                "SELECT id, verdict FROM models WHERE state IN (?, ?)",
                [state.value for state in ModelState if state.is_final],
            )
        )

    def events(self, model_id: str | None = None) -> list[Event]:
        """The events of a model, or of all models, in the order in which they happened."""
        found = self._connection.execute(
            "SELECT model, fact, at, attempt, worker FROM facts "
            "WHERE :model IS NULL OR model = :model ORDER BY number",
            {"model": model_id},
        )
        return [
            Event(model, ModelState(fact), at, attempt, worker)
            for model, fact, at, attempt, worker in found
        ]

    def set_meta(self, name: str, value: str) -> None:
        """Store a value that concerns the whole fleet run."""
        self._connection.execute("INSERT OR REPLACE INTO round VALUES (?, ?)", (name, value))

    def meta(self, name: str) -> str | None:
        """What `set_meta` stored, `None` if nothing was."""
        return self._value("SELECT value FROM round WHERE name = ?", name)

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
