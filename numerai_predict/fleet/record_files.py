"""Writes the result records of models where users look for them."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.contract.record import Record
from numerai_predict.storage.files import atomic_write


def write_record(directory: Path, name: str, record: Record) -> None:
    """Write the record of a model into the output directory of a fleet run.

    Raises:
        OSError: it cannot be written.
    """
    with atomic_write(directory / "records" / f"{name}.json") as handle:
        handle.write(record.as_json().encode())
