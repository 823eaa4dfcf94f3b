"""Result records on their way from a worker: out of dictionaries, and into files."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from numerai_predict.contract.record import (
    DataFacts,
    EnvironmentFacts,
    ModelFacts,
    PredictionFacts,
    Record,
    Seconds,
)
from numerai_predict.storage.files import atomic_write

_PARTS = {
    "model": ModelFacts,
    "environment": EnvironmentFacts,
    "dataset": DataFacts,
    "benchmarks": DataFacts,
    "predictions": PredictionFacts,
    "seconds": Seconds,
}


def record_of(facts: dict[str, Any]) -> Record:
    """The record that `dataclasses.asdict` made these facts of."""
    known = {field.name for field in fields(Record)}
    parts = {name: kind(**facts[name]) for name, kind in _PARTS.items()}
    return Record(**{name: value for name, value in facts.items() if name in known} | parts)


def write_record(directory: Path, name: str, record: Record) -> None:
    """Put the record of a model where users look for it.

    Raises:
        OSError: it cannot be written.
    """
    with atomic_write(directory / "records" / f"{name}.json") as handle:
        handle.write(record.as_json().encode())
