"""Persists the result of each model: ledger entry, predictions, record and log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.error_mapping import run_error_of
from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.record import Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.delivery.messages import DeliveryTicket
from numerai_predict.fleet.delivery.queue import DeliveryQueue
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.pool.actor import TaskResult
from numerai_predict.fleet.preparation import PreparedModel
from numerai_predict.fleet.record_files import write_record
from numerai_predict.fleet.result_key import KeyFactory, ResultKey, delivery_id, destination_id
from numerai_predict.runner.run_log import logger, shown_message
from numerai_predict.storage.files import atomic_write, sha256_of


class ResultStore:
    """Stores results and queues deliveries; `len` counts deliveries that have not ended."""

    def __init__(
        self, config: FleetConfig, ledger: FleetLedger, data: LiveData, deadline: Deadline
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._data = data
        self._keys = KeyFactory(config, data)
        self._run = ledger.meta("run") or ""
        restarts = config.retries.delivery_restarts
        self._deliveries = DeliveryQueue(config.output_dir, deadline, restarts)

    def __len__(self) -> int:
        return len(self._deliveries)

    def note(
        self, model_id: str, state: ModelState, detail: str | None = None, **columns: Any
    ) -> None:
        """Record the state of a model that has not ended; what cannot be written is logged."""
        with logged_failure(f"to record that {model_id} is {state.value}"):
            self._ledger.record_event(model_id, state, detail, **columns)

    def store_result(self, model: PreparedModel, result: TaskResult) -> None:
        """Store what a worker returned for a model, and deliver its predictions.

        Where that fails the model fails, whatever the cause: the fleet run goes on.
        """
        try:
            self._store_result(model, result)
        except Exception as error:
            record = model.record.failed(run_error_of(error))
            self.store_failure(model.entry, record, model.environment)

    def _store_result(self, model: PreparedModel, result: TaskResult) -> None:
        model_id, record = model.entry.id, merge_records(model, result, self._data)
        self._write_log(model_id, result, record)
        if result.csv is not None:
            self._store_predictions(model, record, result, result.csv)
        elif record.verdict == Verdict.DEADLINE.word:
            self._ledger.record_event(model_id, ModelState.QUEUED, record.message)
        else:
            self._record_result(model, ModelState.FAILED, record, result)
            write_record(self._config.output_dir, model_id, record)

    def store_failure(
        self, entry: ManifestEntry, record: Record, environment: Environment | None = None
    ) -> None:
        """Store the record of a model that no worker returned a result for.

        What cannot be written is logged. A model that the ledger does not know as failed runs
        again with the next fleet run.
        """
        model_id = entry.id
        key = self._keys.key(entry, record.model.sha256, environment)
        with logged_failure(f"to record the failure of {model_id}"):
            self._ledger.record_event(
                model_id,
                ModelState.FAILED,
                verdict=record.verdict,
                message=record.message,
                record=json.dumps(asdict(record)),
                key=key.to_json(),
                destination=destination_id(entry.post),
            )
        with logged_failure(f"to write the record of {model_id}"):
            write_record(self._config.output_dir, model_id, record)

    def resume_deliveries(self, entries: Iterable[ManifestEntry]) -> list[ManifestEntry]:
        """Deliver predictions of an earlier fleet run; returns the models that have none."""
        without_predictions = []
        for entry in entries:
            record = key = None
            with logged_failure(f"to read the predictions of {entry.id}"):
                record = self._predicted_record(entry)
                key = ResultKey.from_json(self._ledger.key(entry.id))
            if record is None or key is None:
                without_predictions.append(entry)
            elif entry.post is None:
                self._conclude_in_directory(entry, record, key)
            else:
                self._deliver(entry, entry.post, record, key)
        return without_predictions

    def sync_deliveries(self) -> None:
        """Write the records of deliveries that ended; restart a delivery process that crashed.

        Raises:
            DeliveryProcessFailed: it crashed too often.
        """
        self._write_delivered_records()
        self._deliveries.restart_if_crashed()

    def close(self) -> None:
        """Wait for the deliveries that have begun."""
        self._deliveries.close()
        self._write_delivered_records()

    def _write_delivered_records(self) -> None:
        for model_id in self._deliveries.take_completed():
            with logged_failure(f"to write the record of {model_id}"):
                if content := self._ledger.record(model_id):
                    write_record(self._config.output_dir, model_id, Record.from_dict(content))

    def _predicted_record(self, entry: ManifestEntry) -> Record | None:
        """The record of predictions that are complete on disk."""
        content, path = self._ledger.record(entry.id), self._config.csv_path(entry.id)
        if content is None or not path.is_file():
            return None
        record = Record.from_dict(content)
        return record if sha256_of(path) == record.predictions.sha256 else None

    def _store_predictions(
        self, model: PreparedModel, record: Record, result: TaskResult, csv: bytes
    ) -> None:
        entry, key = model.entry, self._key(model)
        path = self._config.csv_path(entry.id)
        with atomic_write(path) as handle:
            handle.write(csv)
        record = replace(record, predictions=replace(record.predictions, path=str(path)))
        if entry.post is not None:
            self._record_result(model, ModelState.PREDICTED, record, result)
            self._deliver(entry, entry.post, record, key)
            return
        record = _delivered_to_file(record, path)
        self._record_result(model, ModelState.DELIVERED, record, result)
        write_record(self._config.output_dir, entry.id, record)

    def _conclude_in_directory(self, entry: ManifestEntry, record: Record, key: ResultKey) -> None:
        """Record that the file in the output directory is the delivery."""
        record = _delivered_to_file(record, self._config.csv_path(entry.id))
        delivery = delivery_id(key, destination_id(None), record.predictions.sha256)
        self._ledger.record_delivery(entry.id, asdict(record), delivery)
        write_record(self._config.output_dir, entry.id, record)

    def _deliver(
        self, entry: ManifestEntry, post: PresignedPost, record: Record, key: ResultKey
    ) -> None:
        delivery = delivery_id(key, destination_id(post), record.predictions.sha256)
        ticket = DeliveryTicket(self._run, key.to_json(), delivery)
        self._deliveries.send(entry.id, self._config.csv_path(entry.id), post, record, ticket)

    def _key(self, model: PreparedModel) -> ResultKey:
        return self._keys.key(model.entry, model.record.model.sha256, model.environment)

    def _record_result(
        self,
        model: PreparedModel,
        state: ModelState,
        record: Record,
        result: TaskResult,
    ) -> None:
        self._ledger.record_event(
            model.entry.id,
            state,
            worker=result.worker,
            verdict=record.verdict,
            message=record.message,
            started=result.started,
            seconds=result.ended - result.started,
            peak_bytes=record.peak_memory_bytes,
            sha256=record.predictions.sha256,
            record=json.dumps(asdict(record)),
            key=self._key(model).to_json(),
            destination=destination_id(model.entry.post),
        )

    def _write_log(self, model_id: str, result: TaskResult, record: Record) -> None:
        # Only the first line begins with a step, so that no text of a model looks like a verdict.
        shown = shown_message(record.message, self._config.debug)
        message = shown.replace("\n", "\n         ")
        verdict = f"verdict  {record.verdict} (exit {record.exit_code}): {message}\n"
        with atomic_write(self._config.output_dir / "logs" / f"{model_id}.log") as handle:
            handle.write(result.log + verdict.encode())


def _delivered_to_file(record: Record, path: Path) -> Record:
    record = replace(record, delivered_to=str(path))
    return record.concluded(Verdict.OK, f"delivered to {path}")


@contextmanager
def logged_failure(purpose: str) -> Iterator[None]:
    """Log an exception of the block as a warning, and continue."""
    try:
        yield
    except Exception as error:
        found = brief(f"{type(error).__name__}: {error}")
        logger.warning("warning  expected %s, found %s", purpose, found)


def merge_records(model: PreparedModel, result: TaskResult, data: LiveData) -> Record:
    """The worker's record, with what only the coordinator knows: sources, hashes, fetch time."""
    record, prepared = Record.from_dict(result.record), model.record
    arity, pythons = record.model.arity, record.model.python
    fetch = prepared.seconds.fetch
    total = (fetch or 0.0) + result.ended - result.started
    return replace(
        record,
        model=replace(prepared.model, arity=arity, python=pythons),
        dataset=data.facts,
        benchmarks=data.benchmark_facts if arity == 2 else record.benchmarks,
        seconds=replace(record.seconds, fetch=fetch, total=total),
        warnings=(*prepared.warnings, *record.warnings),
    )
