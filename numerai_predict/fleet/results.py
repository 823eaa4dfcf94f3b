"""What came of each model, put where it lasts: ledger, predictions, record and log."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.record import Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.delivery.queue import DeliveryQueue
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.pool.actor import TaskResult
from numerai_predict.fleet.preparation import PreparedModel
from numerai_predict.fleet.record_files import write_record
from numerai_predict.storage.files import atomic_write, sha256_of


class ResultStore:
    """Keeps what models came to, and has predictions delivered; `len` are those under way."""

    def __init__(
        self, orders: FleetConfig, ledger: FleetLedger, data: LiveData, deadline: Deadline
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._data = data
        self._outbox = DeliveryQueue(orders.output_dir, deadline)

    def __len__(self) -> int:
        return len(self._outbox)

    def store_result(self, ready: PreparedModel, outcome: TaskResult) -> None:
        """Keep what a worker made of a model."""
        record, name = self._complete(ready, outcome), ready.entry.id
        ready.discard_files()
        self._keep_log(name, outcome, record)
        if outcome.csv is not None:
            self._save(ready.entry, record, outcome)
        elif record.verdict == Verdict.DEADLINE.word:
            self._ledger.record_event(name, ModelState.QUEUED, record.message)
        else:
            self._note_end(name, ModelState.FAILED, record, outcome)
            write_record(self._orders.output_dir, name, record)

    def store_failure(self, ready: PreparedModel) -> None:
        """Keep the verdict of a model that was not run, or that no worker outlived."""
        name, record = ready.entry.id, ready.record
        ready.discard_files()
        self._ledger.record_event(
            name,
            ModelState.FAILED,
            verdict=record.verdict,
            message=record.message,
            record=json.dumps(asdict(record)),
        )
        write_record(self._orders.output_dir, name, record)

    def resume_deliveries(self, entries: list[ManifestEntry]) -> list[ManifestEntry]:
        """Hand the predictions that lie there to the courier; the entries that have none."""
        without = []
        for entry in entries:
            facts, path = self._ledger.record(entry.id), self._orders.csv_of(entry.id)
            lies_there = facts is not None and entry.post is not None and path.is_file()
            if facts and lies_there and sha256_of(path) == facts["predictions"]["sha256"]:
                self._send(entry, path, Record.from_dict(facts))
            else:
                without.append(entry)
        return without

    def sync_deliveries(self) -> None:
        """Write the records of what was delivered meanwhile."""
        for name in self._outbox.delivered():
            if facts := self._ledger.record(name):
                write_record(self._orders.output_dir, name, Record.from_dict(facts))

    def close(self) -> None:
        """Let the deliveries that have begun end."""
        self._outbox.close()
        self.sync_deliveries()

    def _save(self, entry: ManifestEntry, record: Record, outcome: TaskResult) -> None:
        path = self._orders.csv_of(entry.id)
        with atomic_write(path) as handle:
            handle.write(outcome.csv or b"")
        record = replace(record, predictions=replace(record.predictions, path=str(path)))
        if entry.post is not None:
            self._note_end(entry.id, ModelState.PREDICTED, record, outcome)
            self._send(entry, path, record)
            return
        record = replace(record, delivered_to=str(path)).concluded(
            Verdict.OK, f"delivered to {path}"
        )
        self._note_end(entry.id, ModelState.DELIVERED, record, outcome)
        write_record(self._orders.output_dir, entry.id, record)

    def _complete(self, ready: PreparedModel, outcome: TaskResult) -> Record:
        """The worker's record with what the agent knows: sources, hashes, the fetch."""
        record, own = Record.from_dict(outcome.record), ready.record
        arity, pythons = record.model.arity, record.model.python
        fetch = own.seconds.fetch
        total = (fetch or 0.0) + outcome.ended - outcome.started
        return replace(
            record,
            model=replace(own.model, arity=arity, python=pythons),
            dataset=self._data.facts,
            benchmarks=self._data.benchmark_facts if arity == 2 else record.benchmarks,
            seconds=replace(record.seconds, fetch=fetch, total=total),
        )

    def _note_end(self, name: str, fact: ModelState, record: Record, outcome: TaskResult) -> None:
        self._ledger.record_event(
            name,
            fact,
            worker=outcome.worker,
            verdict=record.verdict,
            message=record.message,
            started=outcome.started,
            seconds=outcome.ended - outcome.started,
            peak_bytes=record.peak_memory_bytes,
            sha256=record.predictions.sha256,
            record=json.dumps(asdict(record)),
        )

    def _keep_log(self, name: str, outcome: TaskResult, record: Record) -> None:
        verdict = f"verdict  {record.verdict} (exit {record.exit_code}): {record.message}\n"
        with atomic_write(self._orders.output_dir / "logs" / f"{name}.log") as handle:
            handle.write(outcome.log + verdict.encode())

    def _send(self, entry: ManifestEntry, path: Path, record: Record) -> None:
        assert entry.post is not None
        self._outbox.send(entry.id, path, entry.post, record)
