"""The table of all models in the report of a fleet run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.counting import counted
from numerai_predict.fleet.ledger_rows import Row
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.report.failure_groups import short_message
from numerai_predict.fleet.report.log_tails import log_tails
from numerai_predict.pages.formats import format_name, format_utc
from numerai_predict.pages.table import CellKind, DataTable, RowFile, TableColumn

NAME = "model"

_TAGS = TableColumn("tags", "Tags", CellKind.TAGS, filter=True, secondary=True)
_COLUMNS = (
    TableColumn(NAME, "Model"),
    TableColumn("verdict", "Verdict", CellKind.STATE, filter=True),
    TableColumn("seconds", "Time", CellKind.SECONDS),
    TableColumn("memory", "Peak memory", CellKind.BYTES, secondary=True),
    TableColumn("python", "Python", filter=True, secondary=True),
    TableColumn("worker", "Worker", filter=True, secondary=True),
    _TAGS,
    TableColumn("message", "Message", secondary=True),
    TableColumn("remedy", "Remedy", details_only=True),
    TableColumn("environment", "Environment", details_only=True),
    TableColumn("attempts", "Attempts", CellKind.COUNT, details_only=True),
    TableColumn("started", "Started", details_only=True),
)
_FILES = (
    ("log", "logs", "log"),
    ("record", "records", "json"),
    ("predictions", "predictions", "csv"),
)
# Models that are shown without a script.
_MAX_STATIC = 300
# Characters of logs in the page: some for small fleet runs, more for each model.
_LOG_CHARACTERS, _LOG_CHARACTERS_PER_MODEL = 150_000, 50
_PYTHON = re.compile(r"\b3[._](\d+)|_3_(\d+)")


@dataclass(frozen=True)
class ResultDirectory:
    """The files of models beside the report: `present` has the names in each directory."""

    path: Path
    present: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, path: Path) -> ResultDirectory:
        """The files that are there now."""
        return cls(path, {folder: _names_in(path / folder) for _, folder, _ in _FILES})


def _names_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 - ten thousand names, as text
    except OSError:
        return frozenset()


def model_table(
    rows: Sequence[Row], remedies: Mapping[str, str], directory: ResultDirectory
) -> DataTable:
    """The table of these models; `remedies` are those of failed models, by id."""
    logs = directory.present["logs"]
    failed = [row.id for row in rows if row.state is ModelState.FAILED and f"{row.id}.log" in logs]
    space = _LOG_CHARACTERS + _LOG_CHARACTERS_PER_MODEL * len(rows)
    tails = log_tails(directory.path / "logs", failed, space)
    static = _static_rows(rows)
    return DataTable(
        name=NAME,
        columns=[column for column in _COLUMNS if column is not _TAGS or _any_tags(rows)],
        values=_values(rows, remedies),
        files=[_row_file(kind, rows, directory) for kind in _FILES],
        logs={number: tails[row.id] for number, row in enumerate(rows) if row.id in tails},
        static=static,
        left_out=_left_out(len(rows), len(static)),
    )


def _any_tags(rows: Sequence[Row]) -> bool:
    return any(row.tags for row in rows)


def _values(rows: Sequence[Row], remedies: Mapping[str, str]) -> dict[str, list[Any]]:
    return {
        NAME: [format_name(row.id) for row in rows],
        "verdict": [format_name(row.status) for row in rows],
        "seconds": [None if row.seconds is None else round(row.seconds, 2) for row in rows],
        "memory": [row.peak_bytes for row in rows],
        "python": [python_of(row.environment) for row in rows],
        "worker": [format_name(row.worker or "") for row in rows],
        _TAGS.key: [format_name(row.tags or "") for row in rows],
        "message": [short_message(row) for row in rows],
        "remedy": [brief(remedies.get(row.id, "")) for row in rows],
        "environment": [format_name(row.environment or "") for row in rows],
        "attempts": [row.attempts for row in rows],
        "started": ["" if row.started is None else format_utc(row.started) for row in rows],
    }


def python_of(environment: str | None) -> str:
    """The Python in the name of an environment, for display; empty if it has none."""
    match = _PYTHON.search(environment or "")
    return f"3.{match[1] or match[2]}" if match else ""


def _row_file(
    kind: tuple[str, str, str], rows: Sequence[Row], directory: ResultDirectory
) -> RowFile:
    label, folder, suffix = kind
    present = directory.present[folder]
    having = (number for number, row in enumerate(rows) if f"{row.id}.{suffix}" in present)
    return RowFile(label, f"{folder}/{{}}.{suffix}", frozenset(having))


def _static_rows(rows: Sequence[Row]) -> list[int]:
    """Failed models first, then the others in their order."""
    numbers = sorted(range(len(rows)), key=lambda number: rows[number].state.value != "failed")
    return numbers[:_MAX_STATIC]


def _left_out(total: int, static: int) -> str:
    if static == total:
        return ""
    return (
        f"The first {counted(static, 'model')} of {total:,}, failed ones before others: "
        "a browser with JavaScript shows, searches and sorts all of them."
    )
